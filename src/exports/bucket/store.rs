//! The store itself, from the settings.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{Error, ObjectStore, RetryConfig};

use crate::settings::{Scheme, Store};

/// Each attempt has a limit of its own, so that a large object is not given up for its size.
const NO_LIMIT: &str = "1 day";

/// A store that makes each request once. Repeating them is up to [`super::requests`], which knows which of them may be.
pub(super) fn made(store: &Store) -> Result<Arc<dyn ObjectStore>, Error> {
    // Without one, the HTTP client would not know which cryptography to use. If there is one, it is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig { max_retries: 0, retry_timeout: Duration::ZERO, ..RetryConfig::default() };
    let connect = humantime::format_duration(store.connect).to_string();
    let ours = [("timeout".to_string(), NO_LIMIT.to_string()), ("connect_timeout".to_string(), connect)];
    let options = || store.options.0.iter().chain(&ours);
    // The library ignores what it does not know, of all that begins with AWS_ as well.
    Ok(match store.scheme {
        Scheme::S3 => {
            let builder = options().fold(AmazonS3Builder::new(), |builder, (name, value)| match name.parse() {
                Ok(key) => builder.with_config(key, value),
                Err(_) => builder,
            });
            // Not every server that speaks like S3 removes several at once.
            let builder = builder.with_bucket_name(&store.bucket).with_retry(retry).with_disable_bulk_delete(true);
            Arc::new(builder.build()?)
        }
        Scheme::Gs => {
            let builder =
                options().fold(GoogleCloudStorageBuilder::new(), |builder, (name, value)| match name.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
            Arc::new(builder.with_bucket_name(&store.bucket).with_retry(retry).build()?)
        }
        Scheme::Az => {
            let builder = options().fold(MicrosoftAzureBuilder::new(), |builder, (name, value)| match name.parse() {
                Ok(key) => builder.with_config(key, value),
                Err(_) => builder,
            });
            Arc::new(builder.with_container_name(&store.bucket).with_retry(retry).build()?)
        }
    })
}
