use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use countersign_engine::observer::HookResult;
use countersign_settings::HookEvent;
use countersign_user_hooks::{Done, Said};
use serde_json::{Value, json};

use crate::desk::{Desk, nothing};

/// One question as a server heard it.
struct Heard {
    head: String,
    body: String,
}

/// A server that answers each question with the next of these.
fn serve(answers: Vec<String>) -> (SocketAddr, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((stream, _)) = listener.accept() else {
                return;
            };
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap_or(0) == 0 {
                    break;
                }
            }
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let _ = sender.send(Heard {
                head,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            let _ = reader.into_inner().write_all(answer.as_bytes());
        }
    });
    (address, heard)
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(status: &str, to: &str) -> String {
    format!("HTTP/1.1 {status}\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn asked(url: &str) -> Done {
    let desk = Desk::new();
    desk.user(
        HookEvent::PermissionRequest,
        &json!([{ "hooks": [{ "type": "http", "url": url }] }]),
    );
    desk.fire(HookEvent::PermissionRequest)
}

#[test]
fn an_address_is_sent_the_event_and_may_answer() {
    for (body, said) in [
        ("", Said::Nothing),
        (r#"{"decision": "allow"}"#, Said::Allow),
        (
            r#"{"decision": "deny", "message": "no"}"#,
            Said::Deny {
                message: Some("no".to_owned()),
            },
        ),
    ] {
        let (address, heard) = serve(vec![ok(body)]);
        assert_eq!(asked(&format!("http://{address}/hook")).said, said);
        let heard = heard.recv().unwrap();
        assert!(
            heard.head.starts_with("POST /hook HTTP/1.1\r\n"),
            "{}",
            heard.head
        );
        assert!(heard.head.contains("content-type: application/json"));
        let told: Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(told["hook_event_name"], "PermissionRequest");
    }
}

#[test]
fn a_redirect_to_another_server_is_refused() {
    let (other, heard_there) = serve(vec![ok(r#"{"decision": "allow"}"#)]);
    for to in [
        format!("http://{other}/"),
        format!("http://localhost:{}/", other.port()),
        "https://example.com/".to_owned(),
    ] {
        let (address, _heard) = serve(vec![redirect("307 Temporary Redirect", &to)]);
        let done = asked(&format!("http://{address}/secret-path"));
        assert_eq!(done.said, Said::Nothing);
        let report = &done.reports[0];
        assert_eq!(report.run.result, HookResult::Failed);
        let problem = report.problem.as_deref().unwrap();
        assert!(problem.contains("another server"), "{problem}");
        assert!(!problem.contains("secret-path"), "{problem}");
    }
    assert!(heard_there.try_recv().is_err(), "nobody was asked there");
}

#[test]
fn a_redirect_within_the_server_is_followed_with_what_is_sent() {
    let (address, heard) = serve(vec![
        redirect("308 Permanent Redirect", "/elsewhere"),
        ok(r#"{"decision": "allow"}"#),
    ]);
    assert_eq!(asked(&format!("http://{address}/")).said, Said::Allow);
    let (first, second) = (heard.recv().unwrap(), heard.recv().unwrap());
    assert!(
        second.head.starts_with("POST /elsewhere "),
        "{}",
        second.head
    );
    assert_eq!(first.body, second.body);
    let (address, _heard) = serve(vec![redirect("302 Found", "/elsewhere")]);
    let done = asked(&format!("http://{address}/"));
    assert_eq!(done.reports[0].run.result, HookResult::Failed);
}

#[test]
fn a_status_that_is_no_success_is_a_warning_and_no_answer() {
    for status in [
        "404 Not Found",
        "500 Internal Server Error",
        "304 Not Modified",
    ] {
        let (address, _heard) = serve(vec![format!(
            "HTTP/1.1 {status}\r\ncontent-length: 21\r\nconnection: close\r\n\r\n\
             {{\"decision\": \"allow\"}}"
        )]);
        let done = asked(&format!("http://{address}/"));
        assert_eq!(done.said, Said::Nothing, "{status}");
        assert_eq!(done.reports[0].run.result, HookResult::Warning, "{status}");
        let code: i32 = status[..3].parse().unwrap();
        assert_eq!(done.reports[0].run.status, Some(code));
    }
}

#[test]
fn an_answer_that_is_too_long_is_none() {
    let long = format!(
        r#"{{"decision": "allow", "x": "{}"}}"#,
        "x".repeat(1024 * 1024)
    );
    let (address, _heard) = serve(vec![ok(&long)]);
    let done = asked(&format!("http://{address}/"));
    assert_eq!(done.said, Said::Nothing);
    assert_eq!(
        done.reports[0].problem.as_deref(),
        Some("its answer is longer than 1 MiB")
    );
}

#[test]
fn headers_take_only_variables_that_are_named_for_them() {
    fn variables(name: &str) -> Option<String> {
        (name == "CHAT_TOKEN").then(|| "sesame".to_owned())
    }
    let desk = Desk::new();
    let with = |address: SocketAddr| {
        desk.user(
            HookEvent::Notification,
            &json!([{ "hooks": [{
                "type": "http", "url": format!("http://{address}/"),
                "headers": { "Authorization": "Bearer $CHAT_TOKEN", "X-Home": "$HOME" },
                "allowedEnvVars": ["CHAT_TOKEN"],
            }] }]),
        );
    };
    let (address, heard) = serve(vec![ok("")]);
    with(address);
    desk.fire_with(HookEvent::Notification, variables);
    let head = heard.recv().unwrap().head;
    assert!(head.contains("authorization: Bearer sesame\r\n"), "{head}");
    assert!(head.contains("x-home: $HOME\r\n"), "{head}");

    let (address, heard) = serve(vec![ok("")]);
    with(address);
    let done = desk.fire_with(HookEvent::Notification, nothing);
    assert_eq!(done.reports[0].run.result, HookResult::Failed);
    assert!(heard.try_recv().is_err(), "nothing is sent without it");
}

#[test]
fn an_address_where_nobody_answers_is_a_failure_without_its_path() {
    let (address, _) = serve(Vec::new());
    let done = asked(&format!("http://{address}/secret-path"));
    let report = &done.reports[0];
    assert_eq!(report.run.result, HookResult::Failed);
    assert!(!report.problem.as_deref().unwrap().contains("secret-path"));
}
