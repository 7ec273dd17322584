//! A stand-in for Vault. Vault itself comes from no package registry; this one keeps strictly to what its public HTTP API
//! says of reading from a key-value store, version 2, and answers nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::server::{Request, Server};

pub const TOKEN: &str = "hvs.stand-in-token";
pub const NAMESPACE: &str = "team/";

/// Serves these secrets: path below the mount `secret` -> fields. The one called `deleted` is.
pub fn start(secrets: BTreeMap<&'static str, Value>) -> Server {
    Server::with(move |request| answer(request, &secrets))
}

fn answer(request: &Request, secrets: &BTreeMap<&'static str, Value>) -> String {
    let error = |status: &str, errors: &[&str]| response(status, &json!({ "errors": errors }));
    if request.header("x-vault-request") != Some("true") {
        return error("412 Precondition Failed", &["missing 'X-Vault-Request' header"]);
    }
    if request.header("x-vault-token") != Some(TOKEN) {
        return error("403 Forbidden", &["permission denied", "invalid token"]);
    }
    if request.header("x-vault-namespace").is_some_and(|namespace| namespace != NAMESPACE) {
        return error("403 Forbidden", &["permission denied"]);
    }
    if request.method != "GET" {
        return error("405 Method Not Allowed", &[]);
    }
    let Some(name) = request.path.strip_prefix("/v1/secret/data/") else {
        return error("404 Not Found", &["no handler for route \"secret\". route entry not found."]);
    };
    let metadata = |deleted: &str| json!({"created_time": "2026-01-02T03:04:05.678Z", "custom_metadata": null, "deletion_time": deleted, "destroyed": false, "version": 2});
    let whole = |data: Value| json!({"request_id": "cf4c30a1", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": null, "warnings": null, "auth": null});
    match secrets.get(name) {
        _ if name == "deleted" => {
            response("404 Not Found", &whole(json!({"data": null, "metadata": metadata("2026-02-03T04:05:06Z")})))
        }
        Some(fields) => response("200 OK", &whole(json!({"data": fields, "metadata": metadata("")}))),
        None => error("404 Not Found", &[]),
    }
}

fn response(status: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "{status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
