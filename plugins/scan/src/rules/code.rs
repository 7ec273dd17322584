//! Forges, package registries, builds.

use super::uuid;
use crate::rule::{Rule, Verdict};

pub const RULES: &[Rule] = &[
    Rule::token("secret/github-pat", "GitHub personal access token", &["ghp_"], "[0-9A-Za-z]{36}").check(checksum),
    Rule::token("secret/github-oauth", "GitHub OAuth access token", &["gho_"], "[0-9A-Za-z]{36}").check(checksum),
    Rule::token("secret/github-app", "GitHub App access token", &["ghu_", "ghs_"], "[0-9A-Za-z]{36}").check(checksum),
    Rule::token("secret/github-refresh", "GitHub refresh token", &["ghr_"], "[0-9A-Za-z]{36,76}").check(checksum),
    Rule::token(
        "secret/github-fine-grained-pat",
        "GitHub fine-grained personal access token",
        &["github_pat_"],
        "[0-9A-Za-z]{22}_[0-9A-Za-z]{59}",
    ),
    Rule::token(
        "secret/gitlab-pat",
        "GitLab personal access token",
        &["glpat-"],
        r"(?:[0-9A-Za-z_-]{27,}\.[0-9a-z]{2}(?:\.[0-9a-z]{2})?[0-9a-z]{7}|[0-9A-Za-z_-]{20,22})",
    )
    .reach(330),
    Rule::token("secret/gitlab-deploy", "GitLab deploy token", &["gldt-"], "[0-9A-Za-z_-]{20}"),
    Rule::token(
        "secret/gitlab-runner",
        "GitLab runner token",
        &["glrt-", "glrtr-", "GR1348941"],
        "[0-9A-Za-z_.-]{20,64}",
    ),
    Rule::token("secret/gitlab-job", "GitLab CI job token", &["glcbt-"], "[0-9A-Za-z]{1,5}_[0-9A-Za-z_-]{20}"),
    Rule::token("secret/gitlab-trigger", "GitLab pipeline trigger token", &["glptt-"], "[0-9a-f]{40}"),
    Rule::token("secret/gitlab-agent", "GitLab agent for Kubernetes token", &["glagent-"], "[0-9A-Za-z_-]{50}"),
    Rule::token("secret/gitlab-oauth", "GitLab OAuth application secret", &["gloas-"], "[0-9A-Za-z]{64}"),
    Rule::token("secret/gitlab-feed", "GitLab feed token", &["glft-"], "[0-9A-Za-z_-]{20}"),
    Rule::token("secret/gitlab-mail", "GitLab incoming mail token", &["glimt-"], "[0-9A-Za-z_-]{25}"),
    Rule::token("secret/gitlab-scim", "GitLab SCIM token", &["glsoat-"], "[0-9A-Za-z_-]{20}"),
    Rule::token("secret/bitbucket-app-password", "Bitbucket app password", &["ATBB"], "[0-9A-Za-z]{24}[0-9A-F]{8}"),
    Rule::token(
        "secret/atlassian-api",
        "Atlassian API token",
        &["ATATT3xFfGF0", "ATCTT3xFfGN0"],
        "[0-9A-Za-z_-]{100,}(?:=[0-9A-F]{8})?",
    )
    .reach(300),
    Rule::token("secret/npm", "npm access token", &["npm_"], "[0-9A-Za-z]{36}").check(checksum),
    Rule::token(
        "secret/pypi",
        "PyPI upload token",
        &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
        "[0-9A-Za-z_-]{50,}",
    )
    .reach(1024),
    Rule::token("secret/crates-io", "crates.io API token", &["cio"], "[0-9A-Za-z]{32}").entropy(3.8),
    Rule::token("secret/rubygems", "RubyGems API key", &["rubygems_"], "[0-9a-f]{48}"),
    Rule::token("secret/docker-hub", "Docker Hub access token", &["dckr_pat_"], "[0-9A-Za-z_-]{27}"),
    Rule::token(
        "secret/docker-hub-organization",
        "Docker Hub organization access token",
        &["dckr_oat_"],
        "[0-9A-Za-z_-]{32}",
    ),
    Rule::token("secret/nuget", "NuGet API key", &["oy2"], "[a-z0-9]{43}").entropy(3.5),
    Rule::token("secret/jfrog", "JFrog API key", &["AKCp"], "[0-9A-Za-z]{69}"),
    Rule::token("secret/jfrog-reference", "JFrog reference token", &["cmVmdGtu"], "[0-9A-Za-z]{56}"),
    Rule::token("secret/clojars", "Clojars deploy token", &["CLOJARS_"], "[0-9a-z]{60}"),
    Rule::token("secret/packagist", "Packagist token", &["packagist_"], "(?:o[ru]t|ut|ack)_[0-9a-f]{68}"),
    Rule::token("secret/circleci", "CircleCI API token", &["CCIPAT_", "CCIPRJ_"], "[0-9A-Za-z]{22}_[0-9a-f]{40}"),
    Rule::token("secret/buildkite", "Buildkite API token", &["bkua_"], "[0-9a-f]{40}"),
    Rule::token("secret/sonar", "SonarQube token", &["squ_", "sqp_", "sqa_"], "[0-9a-f]{40}"),
    Rule::token(
        "secret/sourcegraph",
        "Sourcegraph access token",
        &["sgp_"],
        "(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}",
    ),
    Rule::assigned("secret/codecov", "Codecov upload token", &["codecov"], uuid!()),
    Rule::assigned(
        "secret/contribsys",
        "credential of the private gem server of Sidekiq",
        &["BUNDLE_ENTERPRISE__CONTRIBSYS__COM", "BUNDLE_GEMS__CONTRIBSYS__COM"],
        "[0-9a-f]{8}:[0-9a-f]{8}",
    )
    .entropy(2.5),
];

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// GitHub and npm: the last six of the 36 characters are the CRC-32 of the thirty before them, in base 62 with leading
/// zeros (<https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/>).
fn checksum(token: &[u8]) -> Verdict {
    let Some(at) = token.iter().position(|&byte| byte == b'_') else { return Verdict::No };
    let Some((body, sum)) = token[at + 1..].split_at_checked(30) else { return Verdict::No };
    if sum.len() != 6 || sum == base62(crc32(body)) {
        Verdict::Verified
    } else {
        Verdict::Broken("its checksum is wrong")
    }
}

fn base62(mut number: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// CRC-32 as in IEEE 802.3, reflected. Bit by bit: it sees thirty bytes at a time.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc32_in_base_62() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of CRC-32");
        // The body of a token that was revoked before it was published to show the format.
        assert_eq!(base62(crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")), *b"0mLq17");
    }

    #[test]
    fn a_wrong_checksum_breaks_a_token() {
        let body = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        assert_eq!(checksum(format!("ghp_{body}0mLq17").as_bytes()), Verdict::Verified);
        assert_eq!(checksum(format!("ghp_{body}0mLq18").as_bytes()), Verdict::Broken("its checksum is wrong"));
    }
}
