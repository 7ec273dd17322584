//! Monitoring, logs, feature flags.

use super::uuid;
use crate::rule::Rule;

pub const RULES: &[Rule] = &[
    Rule::token(
        "secret/grafana-service-account",
        "Grafana service account token",
        &["glsa_"],
        "[0-9A-Za-z]{32}_[0-9a-fA-F]{8}",
    ),
    Rule::token("secret/grafana-cloud", "Grafana Cloud access policy token", &["glc_"], "[0-9A-Za-z+/]{32,}={0,3}")
        .reach(420)
        .entropy(3.6),
    Rule::token("secret/grafana-api-key", "Grafana API key", &["eyJrIjoi"], "[0-9A-Za-z]{60,}={0,3}").reach(420),
    Rule::token("secret/new-relic-user", "New Relic user key", &["NRAK-"], "[0-9A-Z]{27}").entropy(3.4),
    Rule::token("secret/new-relic-insert", "New Relic insert key", &["NRII-"], "[0-9A-Za-z_-]{32}").entropy(3.4),
    Rule::token("secret/new-relic-browser", "New Relic browser key", &["NRJS-"], "[0-9a-f]{19}").warning(),
    Rule::assigned(
        "secret/datadog-application",
        "Datadog application key",
        &["datadog", "dd_app", "dd-app"],
        "[0-9a-f]{40}",
    ),
    Rule::assigned("secret/datadog-api", "Datadog API key", &["datadog", "dd_api", "dd-api"], "[0-9a-f]{32}"),
    Rule::token("secret/sentry-organization", "Sentry organization token", &["sntrys_eyJ"], "[0-9A-Za-z+/=_-]{80,}")
        .reach(420),
    Rule::token("secret/sentry-user", "Sentry user token", &["sntryu_"], "[0-9a-f]{64}"),
    Rule::assigned("secret/sentry-legacy", "Sentry auth token", &["sentry"], "[0-9a-f]{64}"),
    Rule::token(
        "secret/dynatrace",
        "Dynatrace token",
        &["dt0c01.", "dt0s01.", "dt0s16."],
        r"[0-9A-Z]{8,24}\.[0-9A-Z]{64}",
    ),
    Rule::token("secret/honeycomb", "Honeycomb key", &["hcaik_", "hcbik_", "hcaic_", "hcbic_"], "[0-9a-z]{58}"),
    Rule::assigned("secret/pagerduty", "PagerDuty API key", &["pagerduty", "pd_api_key"], "[0-9A-Za-z+_-]{20}")
        .entropy(3.4),
    Rule::assigned("secret/opsgenie", "Opsgenie API key", &["opsgenie"], uuid!()),
    Rule::assigned("secret/rollbar", "Rollbar access token", &["rollbar"], "[0-9a-f]{32}"),
    Rule::token("secret/posthog", "PostHog personal API key", &["phx_"], "[0-9A-Za-z]{43,48}"),
    Rule::token("secret/launchdarkly", "LaunchDarkly key", &["sdk-", "api-"], uuid!()),
    Rule::token("secret/axiom", "Axiom token", &["xaat-", "xapt-"], uuid!()),
    Rule::assigned("secret/sumo-logic", "Sumo Logic access key", &["sumologic", "sumo_access"], "[0-9A-Za-z]{64}")
        .entropy(3.8),
];
