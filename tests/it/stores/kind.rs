//! How the kinds of object stores differ, for a test: addresses, variables, errors.

use crate::kit::CANARY;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    S3,
    Azure,
    Google,
}

/// Azurite's account, whose name and key its documentation publishes.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A signature with that key: everything in all containers is allowed until 2099.
const SIGNATURE: &str = "sv=2019-02-02&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A00Z\
    &sig=rozzYs%2Bf1%2Fw%2FnIBXj2YYuCjiGm7I%2B3P9hBpamTwq9as%3D";

/// Anybody's: moto does not check signatures, and refuses who has none.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

impl Kind {
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Google => "gs",
        }
    }

    /// What the server's program is called with.
    pub fn arguments(self, port: u16) -> Vec<String> {
        let words: &[&str] = match self {
            Self::S3 => &["-H", "127.0.0.1", "-p"],
            // The requests' version is a newer one than Azurite knows.
            Self::Azure => {
                &["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobPort"]
            }
            Self::Google => &[],
        };
        words.iter().map(|word| word.to_string()).chain([port.to_string()]).collect()
    }

    /// What Kalends is told about the server behind this port.
    pub fn variables(self, port: u16) -> Vec<(&'static str, String)> {
        let url = format!("http://127.0.0.1:{port}");
        let of = |name, value: &str| (name, value.to_string());
        match self {
            Self::S3 => vec![
                of("AWS_ENDPOINT_URL", &url),
                of("AWS_ACCESS_KEY_ID", "AKIATEST"),
                of("AWS_SECRET_ACCESS_KEY", &format!("{CANARY}/key")),
                of("AWS_SESSION_TOKEN", &format!("{CANARY}/token")),
                of("AWS_REGION", "us-east-1"),
            ],
            Self::Azure => vec![
                of("AZURE_STORAGE_ENDPOINT", &format!("{url}/{ACCOUNT}")),
                of("AZURE_ALLOW_HTTP", "true"),
                of("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
                of("AZURE_STORAGE_ACCOUNT_KEY", KEY),
            ],
            Self::Google => vec![of(
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                &format!(
                    r#"{{"gcs_base_url": "{url}", "disable_oauth": true, "client_email": "", "private_key_id": "",
                        "private_key": "{CANARY}/key"}}"#
                ),
            )],
        }
    }

    /// The path of a bucket, to make it.
    pub fn bucket(self, bucket: &str) -> String {
        match self {
            Self::Azure => format!("{}?restype=container", self.path(bucket)),
            Self::S3 | Self::Google => self.path(bucket),
        }
    }

    pub fn object(self, bucket: &str, key: &str) -> String {
        format!("{}/{key}", self.path(bucket))
    }

    fn path(self, bucket: &str) -> String {
        match self {
            Self::Azure => format!("/{ACCOUNT}/{bucket}"),
            Self::S3 | Self::Google => format!("/{bucket}"),
        }
    }

    pub fn listing(self, bucket: &str, after: &str) -> String {
        let path = self.path(bucket);
        match self {
            Self::Azure => format!("{path}?restype=container&comp=list&marker={after}"),
            _ if after.is_empty() => format!("{path}?list-type=2&max-keys=900"),
            _ => format!("{path}?list-type=2&max-keys=900&continuation-token={after}"),
        }
    }

    /// What names an object in a listing, and its next page.
    pub fn elements(self) -> [&'static str; 2] {
        match self {
            Self::Azure => ["Name", "NextMarker"],
            Self::S3 | Self::Google => ["Key", "NextContinuationToken"],
        }
    }

    /// Whether a request, such as `GET /bucket?query`, is for a page of a listing.
    pub fn is_listing(self, asked: &str) -> bool {
        asked.contains(if self == Self::Azure { "comp=list" } else { "list-type=2" })
    }

    /// Whether a request removes an object. Azure's are put into one that can have several.
    pub fn is_removal(self, asked: &str) -> bool {
        asked.starts_with("DELETE ")
            || self == Self::Azure && asked.starts_with("POST ") && asked.contains("comp=batch")
    }

    pub fn signed(self, path: &str) -> String {
        match self {
            Self::Azure => format!("{path}{}{SIGNATURE}", if path.contains('?') { '&' } else { '?' }),
            Self::S3 | Self::Google => path.to_string(),
        }
    }

    pub fn headers(self) -> String {
        match self {
            Self::S3 => format!("Authorization: {SIGNED}\r\n"),
            Self::Azure => "x-ms-version: 2019-02-02\r\nx-ms-blob-type: BlockBlob\r\n".to_string(),
            Self::Google => String::new(),
        }
    }

    /// What may be denied, as its hint names it.
    pub fn right(self) -> &'static str {
        match self {
            Self::S3 => "s3:ListBucket",
            Self::Azure => "Storage Blob Data Contributor",
            Self::Google => "Storage Object User",
        }
    }

    /// The codes of answers 403, 403 and 404: a right is missing, the credentials are wrong, there is no such bucket.
    pub fn codes(self) -> [&'static str; 3] {
        match self {
            Self::S3 => ["AccessDenied", "InvalidAccessKeyId", "NoSuchBucket"],
            Self::Azure => ["AuthorizationPermissionMismatch", "AuthenticationFailed", "ContainerNotFound"],
            Self::Google => ["AccessDenied", "SignatureDoesNotMatch", "NoSuchBucket"],
        }
    }

    /// What is sent, or signs what is sent, and must not be shown. Google's store gets tokens that nobody sets.
    pub fn secrets(self) -> Vec<String> {
        match self {
            Self::S3 => vec![format!("{CANARY}/key"), format!("{CANARY}/token")],
            Self::Azure => vec![KEY.to_string()],
            Self::Google => Vec::new(),
        }
    }

    /// The variable that holds the credentials, as the hint names it.
    pub fn credentials(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ACCESS_KEY_ID",
            Self::Azure => "AZURE_STORAGE_ACCOUNT_NAME",
            Self::Google => "GOOGLE_APPLICATION_CREDENTIALS",
        }
    }
}
