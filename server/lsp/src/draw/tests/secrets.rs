//! A nonce is known to whoever was shown the prompt, and in no document,
//! diagnostic, action or text that anybody else may read.

use tower_lsp::lsp_types::Position;

use crate::draw::diagnostics::{Files, all};
use crate::draw::lens::{self, RuleStats};
use crate::draw::testing::{Stage, ours, plain, range, session};
use crate::draw::{actions, change, explain, hover, prompt_text, session_document, uri};

#[test]
fn no_nonce_is_in_anything_that_is_drawn() {
    let mut stage = Stage::new();
    stage.write("a.txt", "one\ntwo\n");
    let approvals = [
        stage.ask(stage.command("npm publish && npm test")),
        stage.ask(stage.edit("a.txt", "two", "2")),
        stage.ask(stage.command("echo '```'\n\u{202e}")),
    ];
    let snapshot = stage.snapshot();
    assert_eq!(snapshot.pending.len(), 3);
    let rows = stage.rows();
    let stats = RuleStats::of(&rows);
    let everywhere = range((0, 0), (u32::MAX, 0));
    let mut said = vec![
        format!("{snapshot:?}"),
        session_document::render(&snapshot, &session()).text,
        format!("{:?}", session_document::render(&snapshot, &session())),
    ];
    for client in [plain(), ours()] {
        let drawn = all(&snapshot, &client, &mut Files::real());
        assert!(drawn.values().flatten().count() >= 3);
        said.push(serde_json::to_string(&drawn).unwrap());
        let documents = drawn.into_keys().chain(uri::session(&session()));
        for uri in documents {
            let offered = actions::at(&snapshot, &client, &mut Files::real(), &uri, everywhere);
            assert!(!offered.is_empty());
            said.push(serde_json::to_string(&offered).unwrap());
            said.push(serde_json::to_string(&lens::at(&snapshot, &uri, &stats, None)).unwrap());
            for line in 0..60 {
                let position = Position::new(line, 4);
                let files = &mut Files::real();
                let hover = hover::at(&snapshot, &client, files, &uri, position, &stats);
                said.push(serde_json::to_string(&hover).unwrap());
            }
        }
    }
    for approval in &approvals {
        said.push(session_document::text_of(approval));
        said.push(prompt_text::approval(approval).message);
        said.extend(explain::markdown(&snapshot, &approval.id, &rows));
        said.extend(change::change(approval, &mut Files::real()).map(|(_, diff)| diff));
    }
    for approval in &approvals {
        let nonce = approval.nonce.reveal();
        assert!(nonce.len() >= 32);
        for text in &said {
            assert!(!text.contains(nonce), "{text}");
        }
        let with_id = said.iter().filter(|text| text.contains(&approval.id));
        assert!(with_id.count() > 3, "what was searched names the approval");
    }
}
