//! Signature Version 4 of AWS, as far as one POST without a query needs it.

use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};

use super::credentials::Credentials;

pub struct Signing<'a> {
    pub credentials: &'a Credentials,
    pub region: &'a str,
    pub service: &'a str,
    /// `20260131T235959Z`
    pub at: &'a str,
}

impl Signing<'_> {
    /// The header `authorization`. `headers` are all others that are sent, in lower case, sorted by name.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hash(body.as_bytes()));
        let scope = format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.at, hash(canonical.as_bytes()));
        let signature = hex(&hmac(&self.key(), &text));
        let id = &self.credentials.id;
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }

    fn date(&self) -> &str {
        self.at.split('T').next().unwrap_or_default()
    }

    fn key(&self) -> Vec<u8> {
        let first = format!("AWS4{}", self.credentials.secret).into_bytes();
        [self.date(), self.region, self.service, "aws4_request"].into_iter().fold(first, |key, text| hmac(&key, text))
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of a signing key in the AWS documentation. The whole signature is checked by a server in `tests/it`.
    #[test]
    fn a_key_is_derived_as_documented() {
        let (id, secret) = ("AKIDEXAMPLE".to_owned(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let credentials = Credentials { id, secret, session: None };
        let signing =
            Signing { credentials: &credentials, region: "us-east-1", service: "iam", at: "20150830T123600Z" };
        assert_eq!(hex(&signing.key()), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }
}
