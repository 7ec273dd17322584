//! Services: what of them is known before the run, and what is shown of the rest.

use serde_json::json;
use sluice_model::grant::Capability;
use sluice_model::{Kind, Manifest};

use super::{plan, plugin, plugins, refuse};
use crate::{PluginInfo, Plugins};

/// Tries a URL until it answers, and needs nothing else.
fn wait_for() -> PluginInfo {
    let mut info = plugin("wait-for", &[(Capability::Http, &["GET ${{ with.http }}"])]);
    info.manifest = info.manifest.map(|manifest| Manifest {
        inputs: json!({
            "type": "object",
            "properties": {
                "http": {"type": "string", "pattern": "^http://"},
                "exec": {"type": "string"},
                "timeout": {"type": "string"},
                "interval": {"type": "string"},
            },
            "additionalProperties": false,
        }),
        ..manifest
    });
    info
}

fn all() -> Plugins {
    let mut deploy = plugin("deploy", &[]);
    deploy.exports = vec![Kind::Deploy];
    deploy.manifest = deploy.manifest.map(|manifest| Manifest { kinds: vec![Kind::Deploy], ..manifest });
    plugins([
        wait_for(),
        deploy,
        plugin("serve", &[]),
        plugin("send", &[(Capability::Http, &["POST ${{ with.url }}"])]),
    ])
}

const SERVICES: &str = "
jobs:
  test:
    services:
      web-server:
        uses: serve
        port: auto
        ready: {http: 'http://127.0.0.1:${{ services[\"web-server\"].port }}/health', timeout: 5s}
      fixed: {uses: serve, port: 9000, ready: {log: 'open on [0-9]+'}, stop-timeout: 1s}
    env: {FIXED: '${{ services.fixed.port }}'}
    steps:
    - {id: open, uses: send, with: {url: 'http://127.0.0.1:${{ services[\"web-server\"].port }}/a'}}
    - {id: known, uses: send, with: {url: 'http://127.0.0.1:${{ env.FIXED }}/a'}}
";

/// A port that only the run knows leaves nothing else open: the grant is shown with it, and needs no `grants`.
#[test]
fn only_the_port_of_a_service_is_open() {
    let plan = plan(SERVICES, &all()).unwrap();
    let shown = plan.all_steps().map(|step| {
        format!(
            "{} {:?} {:?} {}\n",
            step.id,
            step.decided.as_ref().map(|decided| decided.inputs.to_string()),
            step.at_most.spellings(Capability::Http),
            step.at_services.join(", ")
        )
    });
    insta::assert_snapshot!(shown.collect::<String>(), @r#"
    services.web-server Some("{\"paths\":[\"src\"],\"mode\":\"fast\"}") [] 
    services.web-server.ready None [] http: GET http://127.0.0.1:${{ services["web-server"].port }}/health
    services.fixed Some("{\"paths\":[\"src\"],\"mode\":\"fast\"}") [] 
    open None [] http: POST http://127.0.0.1:${{ services["web-server"].port }}/a
    known Some("{\"url\":\"http://127.0.0.1:9000/a\",\"paths\":[\"src\"],\"mode\":\"fast\"}") ["POST http://127.0.0.1:9000/a"]
    "#);
    insta::assert_snapshot!(format!("{:#}", plan.to_json()["jobs"]["test"]["steps"][0]["background"]), @r#"
    {
      "port": "auto",
      "ready": {
        "step": {
          "id": "services.web-server.ready",
          "name": "`ready` of service `web-server`",
          "uses": "wait-for",
          "digest": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
          "version": "1.2.3",
          "kind": "task",
          "inputs": {
            "http": "http://127.0.0.1:${{ services[\"web-server\"].port }}/health",
            "timeout": "5000ms"
          },
          "env": {
            "FIXED": "${{ services.fixed.port }}"
          },
          "grants": {},
          "at-services": [
            "http: GET http://127.0.0.1:${{ services[\"web-server\"].port }}/health"
          ],
          "limits": {
            "time-ms": 5000,
            "memory-bytes": 1073741824,
            "table-elements": 1000000,
            "handles": 10000,
            "disk-bytes": 4294967296,
            "output-bytes": 16777216
          }
        },
        "timeout-ms": 5000
      },
      "stop-timeout-ms": 5000
    }
    "#);
    insta::assert_snapshot!(plan.to_json()["jobs"]["test"]["steps"][1]["background"], @r#"
    {"port":9000,"ready":{"log":"open on [0-9]+","timeout-ms":60000},"stop-timeout-ms":1000}
    "#);
}

#[test]
fn what_cannot_be_a_service_is_refused() {
    let yaml = "
jobs:
  test:
    services:
      bad: {uses: deploy}
      wrong: {uses: serve, port: auto, ready: {http: 'ftp://127.0.0.1:${{ services.wrong.port }}'}}
    steps:
    - {uses: send, with: {url: 'gopher://127.0.0.1:${{ services.wrong.port }}'}}
";
    insta::assert_snapshot!(refuse(yaml, &all()), @r#"
    plan::not-in-background
    × step `services.bad` cannot run in the background: its plugin is of the kind `deploy`
      5:19 `deploy`: what it does is done when it ends
    help: only plugins of the kind `task`, and plain commands, run in the background

    plan::invalid-input
    × input `http` of step `services.wrong.ready` must match `^http://`
      6:54 `'ftp://127.0.0.1:${{ services.wrong.port }}'`: does not match

    plan::bad-grant
    × input `url` of step `step-1` leads to `POST gopher://127.0.0.1:${{ services.wrong.port }}`, which cannot be granted as `http`
      8:32 `'gopher://127.0.0.1:${{ services.wrong.port }}'`: `gopher://127.0.0.1:${{ services.wrong.port }}` does not begin with `https://` or `http://`
    help: `send` asks for `http`: needed for the work
    "#);
}
