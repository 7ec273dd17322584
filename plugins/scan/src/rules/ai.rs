//! Model providers.

use crate::rule::Rule;

pub const RULES: &[Rule] = &[
    Rule::token(
        "secret/openai",
        "OpenAI API key",
        &["sk-"],
        "(?:(?:proj|svcacct|admin)-[0-9A-Za-z_-]{20,80}|[0-9A-Za-z]{20})T3BlbkFJ[0-9A-Za-z_-]{20,80}",
    ),
    Rule::token(
        "secret/anthropic",
        "Anthropic API key",
        &["sk-ant-"],
        "(?:api|admin|oat|ort|sid)[0-9]{2}-[0-9A-Za-z_-]{80,}",
    ),
    Rule::token("secret/openrouter", "OpenRouter API key", &["sk-or-v1-"], "[0-9a-f]{64}"),
    Rule::token("secret/hugging-face", "Hugging Face access token", &["hf_"], "[A-Za-z]{34}").entropy(3.8),
    Rule::token("secret/hugging-face-organization", "Hugging Face organization token", &["api_org_"], "[A-Za-z]{34}")
        .entropy(3.8),
    Rule::token("secret/perplexity", "Perplexity API key", &["pplx-"], "[0-9A-Za-z]{48}"),
    Rule::token("secret/groq", "Groq API key", &["gsk_"], "[0-9A-Za-z]{52}"),
    Rule::token("secret/replicate", "Replicate API token", &["r8_"], "[0-9A-Za-z]{37}"),
    Rule::token("secret/xai", "xAI API key", &["xai-"], "[0-9A-Za-z]{80}"),
    Rule::token("secret/nvidia", "NVIDIA API key", &["nvapi-"], "[0-9A-Za-z_-]{64}"),
    Rule::token("secret/langsmith", "LangSmith API key", &["lsv2_pt_", "lsv2_sk_"], "[0-9a-f]{32}_[0-9a-f]{10}"),
    Rule::token("secret/elevenlabs", "ElevenLabs API key", &["sk_"], "[0-9a-f]{48}"),
    Rule::token("secret/tavily", "Tavily API key", &["tvly-"], "(?:dev-|prod-)?[0-9A-Za-z]{32}"),
    Rule::token("secret/pinecone", "Pinecone API key", &["pcsk_"], "[0-9A-Za-z]{5,6}_[0-9A-Za-z]{63}"),
    Rule::assigned("secret/wandb", "Weights & Biases API key", &["wandb"], "[0-9a-f]{40}"),
    Rule::assigned("secret/cohere", "Cohere API key", &["cohere", "co_api_key"], "[0-9A-Za-z]{40}").entropy(3.8),
    Rule::assigned("secret/deepseek", "DeepSeek API key", &["deepseek"], "sk-[0-9a-f]{32}"),
];
