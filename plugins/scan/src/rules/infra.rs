//! Infrastructure tools, secret stores, networks.

use crate::rule::Rule;

pub const RULES: &[Rule] = &[
    Rule::token("secret/vault", "HashiCorp Vault token", &["hvs.", "hvb.", "hvr."], "[0-9A-Za-z_-]{24,}")
        .entropy(3.6)
        .reach(320),
    Rule::assigned("secret/vault-legacy", "HashiCorp Vault token", &["vault"], r"s\.[0-9A-Za-z]{24}").entropy(3.4),
    Rule::around(
        "secret/terraform-cloud",
        "Terraform Cloud API token",
        &[".atlasv1."],
        14,
        r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",
    ),
    Rule::token("secret/pulumi", "Pulumi access token", &["pul-"], "[0-9a-f]{40}"),
    Rule::token(
        "secret/doppler",
        "Doppler token",
        &["dp.pt.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        "[0-9A-Za-z]{40,44}",
    ),
    Rule::token(
        "secret/doppler-service",
        "Doppler service token",
        &["dp.st."],
        r"(?:[0-9a-z_-]{2,35}\.)?[0-9A-Za-z]{40,44}",
    ),
    Rule::token(
        "secret/tailscale",
        "Tailscale key",
        &["tskey-"],
        "(?:auth|api|client|scim|webhook)-[0-9A-Za-z]{8,24}-[0-9A-Za-z]{24,48}",
    ),
    Rule::token("secret/infracost", "Infracost API key", &["ico-"], "[0-9A-Za-z]{32}").entropy(3.6),
    Rule::token(
        "secret/1password-service-account",
        "1Password service account token",
        &["ops_eyJ"],
        "[0-9A-Za-z+/_-]{250,}={0,3}",
    )
    .reach(2048),
    Rule::token(
        "secret/1password-secret-key",
        "1Password secret key",
        &["A3-"],
        "[0-9A-Z]{6}-(?:[0-9A-Z]{11}|[0-9A-Z]{6}-[0-9A-Z]{5})-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}",
    )
    .entropy(3.6),
    Rule::token(
        "secret/harness",
        "Harness API key",
        &["pat.", "sat."],
        r"[0-9A-Za-z_-]{22}\.[0-9a-f]{24}\.[0-9A-Za-z]{20}",
    ),
    Rule::token("secret/openshift", "OpenShift user token", &["sha256~"], "[0-9A-Za-z_-]{43}"),
    Rule::token("secret/prefect", "Prefect API key", &["pnu_", "pnb_"], "[0-9A-Za-z]{36}"),
    Rule::token("secret/octopus-deploy", "Octopus Deploy API key", &["API-"], "[0-9A-Z]{26}").entropy(3.4),
    Rule::assigned(
        "secret/wireguard",
        "WireGuard private key",
        &["privatekey", "presharedkey"],
        "[0-9A-Za-z+/]{42}[AEIMQUYcgkosw048]=",
    )
    .entropy(4.0),
    Rule::assigned("secret/okta", "Okta API token", &["okta"], "00[0-9A-Za-z_-]{40}").entropy(3.8),
    Rule::assigned("secret/ngrok", "ngrok authtoken", &["ngrok", "authtoken"], "[0-9A-Za-z]{26,28}_[0-9A-Za-z]{20,22}")
        .entropy(3.8),
];
