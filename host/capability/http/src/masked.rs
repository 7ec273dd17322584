//! A response on its way into the step, without the values of secrets that the step's requests carried.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use hyper::body::{Body, Frame, SizeHint};
use sluice_capability_secrets::Mask;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// What might be the beginning of a value is held back for so long, so that an answer that comes slowly still comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// Takes values out of headers.
pub fn headers(headers: &mut HeaderMap, masks: &[Arc<Mask>]) {
    for value in headers.values_mut() {
        let mut bytes = value.as_bytes().to_vec();
        for mask in masks {
            bytes = mask.cover(&mut bytes, false);
        }
        if bytes != value.as_bytes() {
            *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("***"));
        }
    }
}

/// A body with `*` in place of every byte of a value.
pub struct MaskedBody<B> {
    body: B,
    mask: Arc<Mask>,
    held: Vec<u8>,
    /// When what is held is let go.
    pause: Pin<Box<Sleep>>,
    /// What comes after what is held.
    next: Option<Result<Frame<Bytes>, Error>>,
    ended: bool,
}

impl<B> MaskedBody<B> {
    pub fn new(body: B, mask: Arc<Mask>) -> Self {
        let pause = Box::pin(tokio::time::sleep(PATIENCE));
        Self { body, mask, held: Vec::new(), pause, next: None, ended: false }
    }

    fn take(&mut self, more: bool) -> Option<Result<Frame<Bytes>, Error>> {
        let told = self.mask.cover(&mut self.held, more);
        (!told.is_empty()).then(|| Ok(Frame::data(told.into())))
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for MaskedBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if self.ended || self.next.is_some() {
                return Poll::Ready(self.take(false).or_else(|| self.next.take()));
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending if self.held.is_empty() => return Poll::Pending,
                Poll::Pending => {
                    return self.pause.as_mut().poll(cx).map(|()| self.take(false));
                }
                Poll::Ready(None) => self.ended = true,
                Poll::Ready(Some(Err(error))) => self.next = Some(Err(error)),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        self.held.extend_from_slice(&data);
                        let until = Instant::now() + PATIENCE;
                        self.pause.as_mut().reset(until);
                        if let Some(told) = self.take(true) {
                            return Poll::Ready(Some(told));
                        }
                    }
                    Err(frame) => {
                        let trailers = frame.into_trailers().map(|mut trailers| {
                            headers(&mut trailers, std::slice::from_ref(&self.mask));
                            Frame::trailers(trailers)
                        });
                        self.next = trailers.ok().map(Ok);
                    }
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.next.is_none() && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, held) = (self.body.size_hint(), self.held.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(held));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}
