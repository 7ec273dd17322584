//! Secrets in requests, unseen: the host puts the values in.

use super::{Request, Url};
use crate::{Failure, secrets};

impl Request {
    /// `authorization: Bearer …` with the secret `name`. Fails as [`secrets::placeholder`].
    pub fn bearer_secret(self, name: &str) -> Result<Self, Failure> {
        let stand_in = secrets::placeholder(name)?;
        Ok(self.header("authorization", format!("Bearer {stand_in}")))
    }

    /// `authorization: Basic …` with the secret `name` as the password of `user`, which has no colon. Fails as
    /// [`secrets::placeholder`].
    pub fn basic_secret(self, user: &str, name: &str) -> Result<Self, Failure> {
        if user.contains(':') || user.chars().any(char::is_control) {
            return Err(Failure::invalid_input("a user name for `authorization: Basic` has no colon and is one line"));
        }
        let credentials = format!("{user}:{}", secrets::placeholder(name)?);
        Ok(self.header("authorization", format!("Basic {}", base64(credentials.as_bytes()))))
    }

    /// Adds `key=…` with the secret `name` to the query of the URL; the host percent-encodes the value. Fails as
    /// [`secrets::placeholder`].
    pub fn query_secret(mut self, key: &str, name: &str) -> Result<Self, Failure> {
        let stand_in = secrets::placeholder(name)?;
        let (front, fragment) = match self.url.split_once('#') {
            Some((front, fragment)) => (front, format!("#{fragment}")),
            None => (self.url.as_str(), String::new()),
        };
        let sign = if front.contains('?') { '&' } else { '?' };
        self.url = format!("{front}{sign}{key}={stand_in}{fragment}");
        Ok(self)
    }

    /// Sends the request to the URL that is the value of the secret `name`, as it is, whatever URL it was made with. The
    /// step needs a grant such as `http: ["POST secret:NAME"]`. Fails as [`secrets::placeholder`].
    pub fn url_secret(mut self, name: &str) -> Result<Self, Failure> {
        self.url = format!("https://{}/", secrets::placeholder(name)?);
        self.url_in = Some(name.to_owned());
        Ok(self)
    }

    /// Where the request goes, as texts may say it.
    pub(super) fn place(&self, url: &Url) -> String {
        match &self.url_in {
            // Texts put it between backticks.
            Some(name) => format!("to the URL in the secret {name}"),
            None => url.origin(),
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            text.push(if place <= group.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("user:pass", "dXNlcjpwYXNz")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
