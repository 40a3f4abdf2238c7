//! Which run may publish into an object store: one of a warehouse at a time. A store has no locks, so the warehouse has
//! one for each place in a store. A folder has a lock of its own.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::error::{Refusal, Result};
use crate::settings::Destination;
use crate::warehouse::{PlaceLock, Reading, Warehouse};

/// How long to wait for commands that read there: as long as for a folder.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Lets no other run of this warehouse publish there, for as long as the value lives. The connection can do nothing
/// else meanwhile.
///
/// # Errors
/// Busy if another run publishes there.
pub async fn hold<'a>(warehouse: &'a mut Warehouse, to: &Destination) -> Result<PlaceLock<'a>> {
    let (number, waiting_since) = (number(to), Instant::now());
    let lock = warehouse.place_lock().await?;
    while !lock.take(number).await? {
        if waiting_since.elapsed() > PATIENCE {
            return Err(is_held(to, lock.holder(number).await?));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(lock)
}

/// Lets no run of this warehouse publish there until the snapshot ends. Others may read there as well.
///
/// # Errors
/// Busy if a run publishes there.
pub(super) async fn share(reading: &Reading<'_>, to: &Destination) -> Result<()> {
    if to.folder().is_some() || reading.share_place(number(to)).await? {
        return Ok(());
    }
    Err(is_held(to, reading.place_holder(number(to)).await?))
}

fn is_held(to: &Destination, holder: Option<String>) -> anyhow::Error {
    let who = holder.map_or_else(String::new, |holder| format!(": {holder}"));
    Refusal::held(
        format!("another run is publishing into \"{to}\"{who}"),
        "Try again when it has ended, or let this command wait with --wait 60s.",
    )
}

/// The number of a place's lock: a negative one, because the others of the warehouse are positive.
fn number(to: &Destination) -> i32 {
    let digest = Sha256::digest(to.to_string().as_bytes());
    let first = u32::from_be_bytes(digest.first_chunk().copied().unwrap_or_default());
    (first | 1 << 31).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_a_lock_of_its_own_and_none_of_the_warehouse() {
        let [first, second] = ["/a", "/b"].map(|path| number(&Destination::Folder(path.into())));
        assert!(first < 0 && second < 0 && first != second);
        // As 0.2.0 has it: programs of two versions must not publish into one place.
        assert_eq!((first, second), (-363_799_419, -1_743_605_575));
    }
}
