//! Clouds.

use std::ops::Range;

use super::{keys, uuid};
use crate::file::File;
use crate::rule::Rule;

pub const RULES: &[Rule] = &[
    // RFC 4648 base 32: no 0, 1, 8, 9.
    Rule::token("secret/aws-access-key-id", "AWS access key id", &["AKIA", "ASIA", "ABIA", "ACCA"], "[A-Z2-7]{16}"),
    Rule::assigned(
        "secret/aws-secret-access-key",
        "AWS secret access key",
        &[
            "secret_access_key",
            "secretaccesskey",
            "secret-access-key",
            "aws_secret",
            "awssecret",
            "aws.secret",
            "aws-secret",
        ],
        "[0-9A-Za-z/+]{40}",
    )
    .entropy(4.0),
    Rule::token("secret/aws-bedrock", "Amazon Bedrock API key", &["ABSK"], "[0-9A-Za-z+/]{109,}={0,2}").reach(280),
    Rule::token("secret/aws-mws", "Amazon MWS auth token", &["amzn.mws."], uuid!()),
    Rule::token("secret/google-api-key", "Google API key", &["AIza"], "[0-9A-Za-z_-]{35}").entropy(3.5),
    Rule::token("secret/google-oauth-client", "Google OAuth client secret", &["GOCSPX-"], "[0-9A-Za-z_-]{28}"),
    Rule::token("secret/google-oauth-access", "Google OAuth access token", &["ya29."], "[0-9A-Za-z_-]{50,}")
        .reach(1024),
    Rule::token("secret/google-oauth-refresh", "Google OAuth refresh token", &["1//0"], "[0-9A-Za-z_-]{50,}")
        .entropy(4.0),
    Rule::around(
        "secret/firebase-messaging",
        "Firebase Cloud Messaging server key",
        &[":APA91b"],
        11,
        "AAAA[0-9A-Za-z_-]{7}:APA91b[0-9A-Za-z_-]{134}",
    ),
    Rule::code(
        "secret/gcp-service-account",
        "key of a Google Cloud service account",
        &["service_account"],
        service_account,
    ),
    Rule::token(
        "secret/azure-storage-key",
        "key of an Azure storage account",
        &["AccountKey="],
        "([0-9A-Za-z+/]{86}==)",
    )
    .entropy(4.0),
    Rule::token(
        "secret/azure-shared-access-key",
        "Azure shared access key",
        &["SharedAccessKey="],
        "([0-9A-Za-z+/]{43}=)",
    )
    .entropy(4.0),
    Rule::around(
        "secret/azure-client-secret",
        "client secret of a Microsoft Entra application",
        &["Q~"],
        4,
        r"[0-9A-Za-z_~.-]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}",
    ),
    Rule::around(
        "secret/azure-devops-pat",
        "Azure DevOps personal access token",
        &["AZDO"],
        80,
        "[0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4}",
    ),
    Rule::token(
        "secret/azure-sas",
        "Azure shared access signature",
        &["&sig=", "?sig="],
        "([0-9A-Za-z]{1,43}(?:%[0-9A-Fa-f]{2}[0-9A-Za-z]{0,43}){0,16}%3[Dd])",
    )
    .entropy(4.0),
    Rule::token("secret/digitalocean", "DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"], "[0-9a-f]{64}"),
    Rule::token("secret/heroku", "Heroku API key", &["HRKU-AA"], "[0-9A-Za-z_-]{58}"),
    Rule::assigned("secret/heroku-uuid", "Heroku API key", &["heroku"], uuid!()),
    Rule::assigned(
        "secret/cloudflare-api-token",
        "Cloudflare API token",
        &["cloudflare", "cf_api_token", "cf-api-token"],
        "[0-9A-Za-z_-]{40}",
    )
    .entropy(3.8),
    Rule::assigned(
        "secret/cloudflare-global-key",
        "Cloudflare global API key",
        &["cloudflare", "cf_api_key", "x-auth-key"],
        "[0-9a-f]{37}",
    ),
    Rule::token("secret/cloudflare-origin-ca", "Cloudflare origin CA key", &["v1.0-"], "[0-9a-f]{24}-[0-9a-f]{146}"),
    Rule::assigned("secret/fastly", "Fastly API token", &["fastly"], "[0-9A-Za-z_-]{32}").entropy(3.8),
    Rule::token("secret/alibaba", "Alibaba Cloud access key id", &["LTAI"], "[0-9A-Za-z]{20}").entropy(3.5),
    Rule::token("secret/tencent", "Tencent Cloud secret id", &["AKID"], "[0-9A-Za-z]{32}").entropy(3.8),
    Rule::token("secret/yandex-access-key-id", "Yandex Cloud access key id", &["YCAJE"], "[0-9A-Za-z_-]{20}"),
    Rule::token(
        "secret/yandex-access-key",
        "Yandex Cloud secret access key",
        &["YCP", "YCM", "YCN", "YCO"],
        "[0-9A-Za-z_-]{37}",
    )
    .entropy(3.8),
    Rule::token("secret/yandex-api-key", "Yandex Cloud API key", &["AQVN"], "[0-9A-Za-z_-]{35,38}"),
    Rule::token("secret/fly-io", "Fly.io access token", &["fo1_"], "[0-9A-Za-z_-]{43}"),
    Rule::token(
        "secret/fly-io-macaroon",
        "Fly.io access token",
        &["fm1r_", "fm1a_", "fm2_"],
        "[0-9A-Za-z+/]{100,}={0,3}",
    )
    .reach(1024),
    Rule::token("secret/netlify", "Netlify access token", &["nfp_", "nfo_", "nfc_", "nfu_"], "[0-9A-Za-z_]{36}"),
    Rule::assigned("secret/netlify-legacy", "Netlify access token", &["netlify"], "[0-9A-Za-z_-]{43,45}").entropy(3.8),
    Rule::assigned("secret/linode", "Linode access token", &["linode"], "[0-9a-f]{64}"),
    Rule::assigned("secret/scaleway", "Scaleway secret key", &["scw_secret_key", "scaleway"], uuid!()),
    Rule::assigned(
        "secret/ibm-cloud",
        "IBM Cloud API key",
        &["ibmcloud_api_key", "ibm_cloud_api_key", "ic_api_key"],
        "[0-9A-Za-z_-]{44}",
    )
    .entropy(3.8),
    Rule::token("secret/supabase", "Supabase access token", &["sbp_"], "[0-9a-f]{40}"),
    Rule::token("secret/supabase-secret", "Supabase secret key", &["sb_secret_"], "[0-9A-Za-z_-]{22}_[0-9A-Za-z_-]{8}"),
    Rule::token(
        "secret/planetscale",
        "PlanetScale token",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        r"[0-9A-Za-z_=.-]{32,64}",
    ),
    Rule::token("secret/databricks", "Databricks access token", &["dapi"], "[0-9a-f]{32}(?:-[0-9])?"),
    Rule::token("secret/deno-deploy", "Deno Deploy access token", &["ddp_", "ddo_"], "[0-9A-Za-z]{36}"),
    Rule::token("secret/scalingo", "Scalingo API token", &["tk-us-"], "[0-9A-Za-z_-]{48}"),
    Rule::token("secret/clickhouse-cloud", "ClickHouse Cloud API secret", &["4b1d"], "[0-9A-Za-z]{38}").entropy(3.8),
];

/// The private key in the JSON file of a service account, at most 4 KiB behind its `"type": "service_account"`.
fn service_account(file: &File, keyword: Range<usize>) -> Option<Range<usize>> {
    let end = file.bytes.len().min(keyword.end + 4096);
    let window = &file.bytes[keyword.end..end];
    let name = b"private_key\"";
    let at = window.windows(name.len()).position(|bytes| bytes == name)? + name.len();
    let begin = window[at..].iter().take(80).position(|&byte| byte == b'-')? + at + keyword.end;
    keys::private_key(file, begin..begin)
}
