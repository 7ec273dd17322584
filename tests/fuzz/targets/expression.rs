//! Any template is refused, fails, or gives a value; the same one each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use sluice_model::Span;
use sluice_workflow::Template;
use sluice_workflow::template::Context;

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text, Span::new(0, text.len())) else { return };
    let context = Context::new()
        .with("inputs", &json!({"name": "ü \"x\"", "count": 3, "list": ["a", "b"], "none": null, "ratio": 0.5}))
        .with("steps", &json!({"a": {"outcome": "passed", "outputs": {"n": 1, "text": "{}"}}}))
        .with("env", &json!({}));
    let value = template.evaluate(&context).ok();
    assert_eq!(value, template.evaluate(&context).ok());
});
