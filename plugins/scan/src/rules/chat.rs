//! Chat and social networks.

use super::uuid;
use crate::base64;
use crate::rule::{Rule, Verdict};

pub const RULES: &[Rule] = &[
    Rule::token("secret/slack-bot", "Slack bot token", &["xoxb-"], "[0-9]{10,13}-(?:[0-9]{10,13}-)?[0-9A-Za-z]{18,34}"),
    Rule::token("secret/slack-user", "Slack user token", &["xoxp-"], "(?:[0-9]{10,13}-){2,3}[0-9A-Za-z]{28,34}"),
    Rule::token(
        "secret/slack-legacy",
        "Slack token",
        &["xoxa-", "xoxo-", "xoxr-", "xoxs-"],
        "(?:[0-9]-)?(?:[0-9]{9,13}-){1,3}[0-9A-Za-z]{20,64}",
    ),
    Rule::token("secret/slack-rotating", "Slack rotating token", &["xoxe-", "xoxe.xoxb-", "xoxe.xoxp-"], "[0-9]-[0-9A-Za-z]{140,}"),
    Rule::token("secret/slack-app", "Slack app-level token", &["xapp-"], "[0-9]-[0-9A-Z]{9,13}-[0-9]{10,13}-[0-9a-f]{64}"),
    Rule::token(
        "secret/slack-webhook",
        "Slack incoming webhook",
        &["hooks.slack.com/"],
        "(?:services/T[0-9A-Z]{7,12}/B[0-9A-Z]{7,12}/[0-9A-Za-z]{20,26}|(?:workflows|triggers)/[0-9A-Z]{7,12}/[0-9A-Za-z/]{30,80})",
    )
    .entropy(3.3),
    Rule::token("secret/discord-webhook", "Discord webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], "[0-9]{17,20}/[0-9A-Za-z_-]{60,72}"),
    Rule::assigned("secret/discord-bot", "Discord bot token", &["token", "discord"], r"[0-9A-Za-z_-]{23,28}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40}")
        .check(discord_user),
    Rule::around("secret/telegram-bot", "Telegram bot token", &[":AA"], 10, "[0-9]{8,10}:AA[0-9A-Za-z_-]{33}").entropy(3.8),
    Rule::token(
        "secret/teams-webhook",
        "Microsoft Teams incoming webhook",
        &[".webhook.office.com/webhookb2/"],
        concat!(uuid!(), "@", uuid!(), "/IncomingWebhook/[0-9A-Za-z]{32}/", uuid!()),
    ),
    Rule::token("secret/facebook", "Facebook access token", &["EAAM", "EAAC", "EAAB", "EAAG"], "[0-9A-Za-z]{90,}").reach(320),
    Rule::token("secret/twitter-bearer", "X API bearer token", &["AAAAAAAAAAAAAAAAAAAA"], "[0-9A-Za-z%]{60,}").entropy(3.6),
    Rule::assigned("secret/twitch", "Twitch access token", &["twitch"], "(?:oauth:)?[0-9a-z]{30}").entropy(3.4),
    Rule::assigned("secret/mattermost", "Mattermost access token", &["mattermost"], "[0-9a-z]{26}").entropy(3.4),
    Rule::token("secret/lichess", "Lichess access token", &["lip_"], "[0-9A-Za-z]{20}").entropy(3.4),
];

/// The first part of a bot token is the user id, a decimal number, in base64.
fn discord_user(token: &[u8]) -> Verdict {
    let id = token.split(|&byte| byte == b'.').next().and_then(base64::decode);
    match id {
        Some(id) if (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit) => Verdict::Verified,
        _ => Verdict::No,
    }
}
