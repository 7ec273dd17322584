//! Payment and commerce.

use super::uuid;
use crate::rule::Rule;

pub const RULES: &[Rule] = &[
    Rule::token(
        "secret/stripe",
        "Stripe secret key",
        &["sk_live_", "rk_live_", "sk_prod_", "rk_prod_"],
        "[0-9A-Za-z]{24,}",
    )
    .reach(260)
    .entropy(3.4),
    Rule::token("secret/stripe-test", "Stripe test key", &["sk_test_", "rk_test_"], "[0-9A-Za-z]{24,}")
        .reach(260)
        .entropy(3.4)
        .warning(),
    Rule::token("secret/stripe-webhook", "Stripe webhook signing secret", &["whsec_"], "[0-9A-Za-z+/]{32,64}")
        .entropy(3.6),
    Rule::token("secret/square", "Square access token", &["sq0atp-"], "[0-9A-Za-z_-]{22}"),
    Rule::token("secret/square-oauth", "Square OAuth secret", &["sq0csp-"], "[0-9A-Za-z_-]{43}"),
    Rule::token("secret/square-application", "Square access token", &["EAAA"], "[0-9A-Za-z_-]{60}").entropy(4.0),
    Rule::token(
        "secret/braintree",
        "Braintree access token",
        &["access_token$production$", "access_token$sandbox$"],
        r"[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    Rule::token("secret/shopify", "Shopify token", &["shpat_", "shpca_", "shppa_", "shpss_"], "[0-9a-fA-F]{32}"),
    Rule::token(
        "secret/flutterwave",
        "Flutterwave secret key",
        &["FLWSECK-", "FLWSECK_TEST-"],
        "[0-9a-z]{12,64}(?:-X)?",
    ),
    Rule::assigned("secret/lob", "Lob API key", &["lob"], "(?:live|test)_[0-9a-f]{35}"),
    Rule::token("secret/easypost", "EasyPost API key", &["EZAK", "EZTK"], "[0-9A-Za-z]{54}"),
    Rule::token("secret/shippo", "Shippo API token", &["shippo_live_", "shippo_test_"], "[0-9a-f]{40}"),
    Rule::token(
        "secret/plaid",
        "Plaid access token",
        &["access-sandbox-", "access-development-", "access-production-"],
        uuid!(),
    ),
    Rule::assigned(
        "secret/gocardless",
        "GoCardless access token",
        &["gocardless"],
        "(?:live|sandbox)_[0-9A-Za-z_-]{40}",
    ),
    Rule::token("secret/duffel", "Duffel access token", &["duffel_live_", "duffel_test_"], "[0-9A-Za-z_-]{43}"),
    Rule::token("secret/razorpay", "Razorpay key id", &["rzp_live_"], "[0-9A-Za-z]{14}").warning(),
    Rule::assigned("secret/coinbase", "Coinbase access token", &["coinbase"], "[0-9A-Za-z_-]{64}").entropy(3.8),
];
