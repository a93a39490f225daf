//! What the unit tests of this crate share.

use countersign_core::model::{ClassifierSettings, InstructionRole, Provider, StructuredOutput};
use countersign_core::prompt::Prompt;

pub(crate) fn settings() -> ClassifierSettings {
    ClassifierSettings {
        provider: Provider::OpenaiCompatible,
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        model: "some-model".to_owned(),
        structured_output: StructuredOutput::JsonSchema,
        instruction_role: InstructionRole::System,
        api_key_env: None,
        proxy: None,
        ca_file: None,
        stage1_ms: 10_000,
        stage2_ms: 30_000,
        max_concurrent: 16,
    }
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        system: "the policy".to_owned(),
        content: "the conversation and the \"call\"".to_owned(),
    }
}
