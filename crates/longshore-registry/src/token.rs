//! Tokens: asking a token service for access, as the distribution project specifies it ("Token Authentication") and, for
//! identity tokens, OAuth 2 (RFC 6749, sections 4.3 and 6).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_core::Secret;
use serde::Deserialize;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{Method, Uri};

use crate::credential::Credential;
use crate::error::ExchangeProblem;
use crate::refusal::Refusal;
use crate::transport::{Answer, Outgoing, Payload, TransportError};
use crate::uri::{form, with_query};

/// A token is at most as long as this, with everything around it.
const MAX_ANSWER: usize = 256 * 1024;

/// What counts if the service does not say how long a token is good for, and the least that it may say.
const USUAL_LIFE: Duration = Duration::from_mins(1);

/// No token is kept for longer.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// How we call ourselves to token services.
const CLIENT: &str = "longshore";

/// A token and until when it is good.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) value: Secret<String>,
    pub(crate) until: Instant,
}

/// Where tokens are had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Realm {
    pub(crate) uri: Uri,
    pub(crate) service: Option<String>,
}

#[derive(Deserialize)]
struct TokenDto {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Sends a request to a token service.
pub(crate) type Sender<'a> = dyn Fn(&Uri, &Outgoing<'_>) -> Result<Answer, ExchangeProblem> + 'a;

/// The value of `Authorization` for a name and password.
pub(crate) fn basic(user: &str, password: &Secret<String>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
}

impl Realm {
    /// Gets a token for these scopes.
    pub(crate) fn token(
        &self,
        scopes: &[String],
        credential: Option<&Credential>,
        time: Duration,
        send: &Sender<'_>,
    ) -> Result<Token, ExchangeProblem> {
        let asked = Instant::now();
        let mut answer = match credential {
            Some(Credential::RegistryToken(token)) => {
                return Ok(Token { value: token.clone(), until: asked + LONGEST_LIFE });
            }
            Some(Credential::IdentityToken(token)) => self.post(
                scopes,
                &[("grant_type", "refresh_token"), ("refresh_token", token.expose())],
                send,
            )?,
            other => self.get(scopes, other, send)?,
        };
        if let (404 | 405, Some(Credential::Password { user, password })) = (answer.status, credential) {
            let fields =
                [("grant_type", "password"), ("username", user.as_str()), ("password", password.expose())];
            answer = self.post(scopes, &fields, send)?;
        }
        let body = answer
            .read_document(MAX_ANSWER, time)
            .map_err(|source| ExchangeProblem::TokenService { realm: self.shown(), source })?;
        if answer.status != 200 {
            let refusal = Refusal::read(answer.status, &body);
            return Err(ExchangeProblem::NoToken { realm: self.shown(), refusal });
        }
        self.read(&body, asked)
    }

    fn read(&self, body: &[u8], asked: Instant) -> Result<Token, ExchangeProblem> {
        let bad = |problem| ExchangeProblem::BadToken { realm: self.shown(), problem };
        let answer: TokenDto = serde_json::from_slice(body).map_err(|_| bad("its answer cannot be read"))?;
        let value = answer.token.filter(|token| !token.is_empty()).or(answer.access_token);
        let value = value.filter(|token| !token.is_empty()).ok_or_else(|| bad("its answer has none"))?;
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("what it gives cannot be sent in a header"));
        }
        let life = answer.expires_in.map_or(USUAL_LIFE, Duration::from_secs).clamp(USUAL_LIFE, LONGEST_LIFE);
        // A tenth is for the way, and for clocks that differ.
        Ok(Token { value: Secret::new(value), until: asked + life.mul_f32(0.9) })
    }

    fn get(
        &self,
        scopes: &[String],
        credential: Option<&Credential>,
        send: &Sender<'_>,
    ) -> Result<Answer, ExchangeProblem> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        parameters.extend(self.service.as_deref().map(|service| ("service", service)));
        parameters.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let mut headers = Vec::new();
        if let Some(Credential::Password { user, password }) = credential {
            parameters.push(("account", user));
            headers.push((AUTHORIZATION, basic(user, password)));
        }
        let uri = with_query(&self.uri, &parameters);
        let uri = uri.ok_or_else(|| ExchangeProblem::BadToken {
            realm: self.shown(),
            problem: "its address cannot be used",
        })?;
        let outgoing =
            Outgoing { method: &Method::GET, headers: &headers, payload: Payload::None, patient: false };
        send(&uri, &outgoing).map_err(|problem| self.at_service(problem))
    }

    fn post(
        &self,
        scopes: &[String],
        grant: &[(&str, &str)],
        send: &Sender<'_>,
    ) -> Result<Answer, ExchangeProblem> {
        let scope = scopes.join(" ");
        let mut fields = vec![("client_id", CLIENT), ("scope", scope.as_str())];
        fields.extend(self.service.as_deref().map(|service| ("service", service)));
        fields.extend_from_slice(grant);
        let body = form(&fields);
        let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())];
        let payload = Payload::Bytes(body.as_bytes());
        let outgoing = Outgoing { method: &Method::POST, headers: &headers, payload, patient: false };
        send(&self.uri, &outgoing).map_err(|problem| self.at_service(problem))
    }

    fn at_service(&self, problem: ExchangeProblem) -> ExchangeProblem {
        match problem {
            ExchangeProblem::Transport(source) if !matches!(source, TransportError::Certificates { .. }) => {
                ExchangeProblem::TokenService { realm: self.shown(), source }
            }
            other => other,
        }
    }

    /// The service for people: without the query.
    fn shown(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        crate::shown::shown(&format!(
            "{}://{authority}{}",
            self.uri.scheme_str().unwrap_or(""),
            self.uri.path()
        ))
    }
}
