//! What went wrong with a request, told without anything secret. What a store answers may repeat the whole request, and
//! URLs may hold signatures, so none of both is shown: only the status, and the code and message of its answer.

use std::error::Error as _;
use std::time::Duration;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use crate::error::Refusal;
use crate::settings::{Scheme, Store};

/// A message of a store is cut after so many characters.
const MOST: usize = 300;

/// The codes of an answer 403 if a right is missing: those of S3 and Google, and of Azure.
const LACKS_RIGHTS: [&str; 3] = ["AccessDenied", "AuthorizationPermissionMismatch", "AuthorizationFailure"];

/// How a request ended that did not do what it was to do.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no such object.
    Missing,
    /// Another object is there than the one that was to be replaced.
    Taken,
    /// Nothing was heard for so long.
    Silent(Duration),
    /// The answer ended early.
    Cut,
    /// Anything else.
    Store(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } if !said(&error).contains("NoSuchBucket") => Self::Missing,
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Self::Taken,
            error => Self::Store(error),
        }
    }
}

impl Trouble {
    /// Whether the same request may succeed a little later.
    pub(super) fn passes(&self) -> bool {
        let Self::Store(error @ Error::Generic { .. }) = self else {
            return matches!(self, Self::Silent(_) | Self::Cut);
        };
        match status(&said(error)) {
            Some(status) => status >= 500 && status != 501 || status == 429 || status == 408,
            // No answer, or a part of one.
            None => true,
        }
    }
}

/// All that an error says, for us to look into.
fn said(error: &Error) -> String {
    error.to_string()
}

/// The status of the answer.
fn status(said: &str) -> Option<u16> {
    let rest = said.split("status code: ").nth(1)?;
    rest.get(..3)?.parse().ok()
}

/// The text of an element of the answer.
fn element<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    said.split(&format!("<{name}>")).nth(1)?.split(&format!("</{name}>")).next()
}

/// What went wrong, for people.
pub(super) fn told(trouble: &Trouble, store: &Store) -> String {
    let error = match trouble {
        Trouble::Missing => return "it is not there".to_string(),
        Trouble::Taken => return "somebody else has changed it".to_string(),
        Trouble::Silent(time) => return format!("no answer within {}", humantime::format_duration(*time)),
        Trouble::Cut => return "its answer ended early".to_string(),
        Trouble::Store(error) => error,
    };
    let said = said(error);
    let told = match (status(&said), element(&said, "Code")) {
        (Some(status), Some(code)) => {
            let message = element(&said, "Message").unwrap_or_default();
            format!("the store answers {status} {code}: {}", message.chars().take(MOST).collect::<String>())
        }
        (Some(status), None) => format!("the store answers {status}"),
        (None, _) => without_answer(error).to_string(),
    };
    let secrets = store.options.secrets().filter(|secret| secret.len() > 3);
    secrets.fold(told, |told, secret| told.replace(secret, "…"))
}

/// What went wrong where no status tells it.
fn without_answer(error: &Error) -> &'static str {
    match error {
        Error::PermissionDenied { .. } => return "the store does not allow it",
        Error::Unauthenticated { .. } => return "the store does not accept the credentials",
        Error::NotImplemented { .. } => return "conditional writes are switched off",
        Error::InvalidPath { .. } => return "a name in it is one that Kalends cannot use, such as one with // in it",
        _ => {}
    }
    let text = said(error);
    if text.contains("without LOCATION") {
        return "the store answers that the bucket is in another region";
    }
    if ["169.254.", "metadata", "credential"].iter().any(|word| text.to_lowercase().contains(word)) {
        return "there are no credentials";
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(http) = cause.downcast_ref::<HttpError>() {
            return match http.kind() {
                HttpErrorKind::Connect => "could not connect",
                HttpErrorKind::Timeout => "no answer in time",
                _ => "the connection broke off",
            };
        }
        source = cause.source();
    }
    "its answer cannot be read"
}

/// What could not be done and why, with the next step if one is known.
pub(super) fn explained(trouble: &Trouble, store: &Store, doing: String) -> anyhow::Error {
    let told = told(trouble, store);
    let cause = anyhow::anyhow!("{told}");
    match hint(trouble, store, &told) {
        Some(hint) => Refusal::explaining(doing, hint, cause),
        None => cause.context(doing),
    }
}

fn hint(trouble: &Trouble, store: &Store, told: &str) -> Option<String> {
    let Trouble::Store(error) = trouble else {
        return Some("Run again when the store answers.".to_string());
    };
    let text = said(error);
    let rights = match store.scheme {
        Scheme::S3 => "s3:ListBucket of the bucket, s3:GetObject, s3:PutObject and s3:DeleteObject of its objects",
        Scheme::Gs => "the role Storage Object User on the bucket",
        Scheme::Az => "the role Storage Blob Data Contributor on the container",
    };
    let credentials = match store.scheme {
        Scheme::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        Scheme::Gs => "GOOGLE_APPLICATION_CREDENTIALS",
        Scheme::Az => "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or another credential",
    };
    // Only of some requests the library tells them apart by itself.
    let is_denied = matches!(error, Error::PermissionDenied { .. }) || status(&text) == Some(403);
    let is_unknown = matches!(error, Error::Unauthenticated { .. }) || status(&text) == Some(401);
    let is_switched_off = matches!(error, Error::NotImplemented { .. }) || status(&text) == Some(501);
    Some(match error {
        _ if is_switched_off => "Use a store with conditional writes (If-Match and If-None-Match): without them, two \
             runs could overwrite each other's files."
            .to_string(),
        _ if text.contains("NoSuchBucket") || text.contains("ContainerNotFound") => {
            "Create it, or name another one with --exports or KALENDS_EXPORTS; Kalends makes none.".to_string()
        }
        _ if text.contains("without LOCATION") || text.contains("PermanentRedirect") => {
            "Set AWS_REGION to the region of the bucket.".to_string()
        }
        _ if is_denied && element(&text, "Code").is_some_and(|code| !LACKS_RIGHTS.contains(&code)) => {
            format!("Check {credentials}.")
        }
        _ if is_denied => format!("Allow {rights}, or check {credentials}."),
        _ if is_unknown => format!("Check {credentials}."),
        _ if told == "there are no credentials" => format!("Set {credentials}."),
        _ => return None,
    })
}
