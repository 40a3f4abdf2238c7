//! Files in an object store: the same files as in a folder, and the same promises.

mod bucket;
mod faults;
mod google;
mod killed;
mod kind;
mod own;
mod proxy;
mod secrets;
mod server;

use std::collections::BTreeSet;

use bucket::{Bucket, MANIFEST};
use proxy::Deed;

use crate::kit::World;

const TABLE: &str = "created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8";

/// Published into a bucket, unless this machine has no server for it.
fn published() -> Option<Bucket> {
    let bucket = Bucket::new(World::new())?;
    bucket.world.production(TABLE);
    bucket.kalends("run").succeeds();
    bucket.is_exact();
    bucket.proxy.pass();
    Some(bucket)
}

#[test]
fn a_year_in_a_bucket_is_the_same_bytes_as_in_a_folder() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.production_sql(
        "INSERT INTO entity
         SELECT '2023-01-01'::timestamp + n * interval '5 hours', n FROM generate_series(0, 1700) AS n",
    );
    bucket.kalends("run").succeeds().says(&format!(" files in {}/", bucket.url()));
    bucket.world.kalends("run").succeeds();
    let objects = bucket.objects();
    assert_eq!(bucket.files(), bucket.world.files());
    assert!(objects.len() > 360, "{}", objects.len());
    let (there, here) = (bucket.manifest(), bucket.local_manifest());
    let without = |mut manifest: serde_json::Value| {
        for entry in manifest["files"].as_object_mut().unwrap().values_mut() {
            entry.as_object_mut().unwrap().remove("etag");
        }
        manifest
    };
    assert!(there["files"]["year=2023/entity_stats_yearly_2023.csv"]["etag"].is_string(), "{there}");
    assert_eq!(without(there), here);
    bucket.settles();
}

#[test]
fn a_run_with_nothing_to_do_writes_nothing_and_reads_no_file() {
    let Some(bucket) = published() else { return };
    bucket.kalends("run").succeeds().says("nothing to do: equal to production as of");
    assert_eq!(bucket.proxy.writes(), [""; 0]);
    let is_read = |asked: &String| !bucket.server.kind.is_listing(asked);
    let reads: Vec<String> = bucket.proxy.asked().into_iter().filter(is_read).collect();
    assert_eq!(reads, [format!("GET {}", bucket.address(MANIFEST))]);
    bucket.kalends("export").succeeds().says("nothing to do: 5 files as the accounts have them");
    bucket.kalends("status").succeeds();
    assert_eq!(bucket.proxy.writes(), [""; 0]);
}

#[test]
fn only_what_changed_is_put_and_the_manifest_comes_last() {
    let Some(bucket) = published() else { return };
    bucket.world.production("created_at | value\n 2024-01-02 | 7");
    bucket.kalends("verify").fails_with(3);
    bucket.proxy.pass();
    bucket.kalends("run").succeeds();
    let writes = bucket.proxy.writes();
    let manifest = format!("PUT {}", bucket.address(MANIFEST));
    assert_eq!((writes.first(), writes.last()), (Some(&manifest), Some(&manifest)));
    let between: BTreeSet<&str> =
        writes[1..writes.len() - 1].iter().map(|put| put.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        between,
        BTreeSet::from([
            "entity_stats_daily_2024_1_2.csv",
            "entity_stats_monthly_2024_1.csv",
            "entity_stats_yearly_2024.csv"
        ])
    );
    bucket.is_exact();
    bucket.settles();
}

#[test]
fn an_object_that_somebody_edited_or_removed_is_mended() {
    let Some(bucket) = published() else { return };
    let [edited, removed] =
        ["year=2024/entity_stats_yearly_2024.csv", "year=2024/month=1/entity_stats_monthly_2024_1.csv"];
    bucket.put(edited, b"year\n");
    bucket.delete(removed);
    bucket.kalends("verify").fails_with(3).says(edited).says(removed);
    bucket.kalends("status").fails_with(3);
    bucket.kalends("run").succeeds().says("2 files in");
    bucket.settles();
}

#[test]
fn an_object_with_the_right_bytes_and_another_etag_is_only_listed() {
    let Some(bucket) = published() else { return };
    let path = "year=2024/entity_stats_yearly_2024.csv";
    let mut manifest = bucket.manifest();
    // Of an object that was put in parts, S3 makes the ETag in another way.
    manifest["files"][path]["etag"] = "0123-2".into();
    bucket.put(MANIFEST, &serde_json::to_vec(&manifest).unwrap());
    bucket.kalends("run").succeeds().says("listed      1 file, none rewritten");
    let manifest = format!("PUT {}", bucket.address(MANIFEST));
    assert_eq!(bucket.proxy.writes(), [manifest.clone(), manifest]);
    bucket.settles();
}

#[test]
fn objects_of_periods_that_vanished_are_removed() {
    let Some(bucket) = published() else { return };
    bucket.world.production_sql("DELETE FROM entity WHERE created_at >= '2024-02-01'");
    bucket.kalends("run --accept-loss").succeeds().says("2 removed");
    let removals = bucket.proxy.writes().into_iter().filter(|asked| bucket.server.kind.is_removal(asked));
    assert_eq!(removals.count(), 2);
    bucket.settles();
}

#[test]
fn what_a_stranger_put_there_is_neither_replaced_nor_removed() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.production(TABLE);
    bucket.put("notes.txt", b"mine");
    bucket.kalends("run").fails_with(4).says(&format!("the export folder \"{}\" holds files", bucket.url()));
    assert_eq!(bucket.proxy.writes(), [""; 0]);
    bucket.delete("notes.txt");
    let taken = "year=2024/entity_stats_yearly_2024.csv";
    bucket.put(taken, b"mine");
    bucket.kalends("run").fails_with(4).says(&format!("\"{}/{taken}\" is in the way", bucket.url()));
    assert_eq!(bucket.proxy.writes(), [""; 0]);
    bucket.delete(taken);
    bucket.kalends("run").succeeds();
    // Beside what is published, and outside of the prefix.
    bucket.put("year=2024/notes.txt", b"mine");
    bucket.outside("other/notes.txt", b"mine");
    bucket.world.production("created_at | value\n 2025-01-02 | 7");
    bucket.kalends("run").succeeds();
    assert_eq!(bucket.objects().get("year=2024/notes.txt").unwrap(), b"mine");
    assert_eq!(bucket.read_outside("other/notes.txt").unwrap(), b"mine");
}

#[test]
fn a_manifest_that_is_lost_is_written_again_and_no_file_is() {
    let Some(bucket) = published() else { return };
    bucket.delete(MANIFEST);
    bucket.kalends("run").succeeds().says("listed      5 files, none rewritten");
    bucket.settles();
    bucket.put(MANIFEST, b"no manifest");
    bucket.kalends("run").fails_with(4).says(&format!("\"{}/{MANIFEST}\" is not a manifest", bucket.url()));
}

#[test]
fn files_of_another_warehouse_are_left_alone() {
    let Some(bucket) = published() else { return };
    let other = World::new();
    other.production("created_at | value\n 2024-01-02 | 6");
    let ran = bucket.kalends_of(&other, "run");
    ran.fails_with(4).says(&format!("the files in \"{}\" were published from another warehouse", bucket.url()));
    bucket.is_exact();
    bucket.kalends_of(&other, "export --take-over").succeeds();
    bucket.is_exact_of(&other);
}

#[test]
fn formats_layouts_and_pages_are_published_as_well() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.production(TABLE);
    bucket.world.settings(
        "report = true\n[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\n\
         measures = [\"value\"]\nlayout = \"hive\"\nformats = [\"csv\", \"jsonl\"]\n",
    );
    bucket.kalends("run").succeeds().says(", 2 pages");
    bucket.world.kalends("run").succeeds();
    let names = |files: std::collections::BTreeMap<String, Vec<u8>>| files.into_keys().collect::<Vec<_>>();
    assert_eq!(names(bucket.files()), names(bucket.world.files()));
    let (mut there, mut here) = (bucket.files(), bucket.world.files());
    there.retain(|path, _| !path.ends_with(".html"));
    here.retain(|path, _| !path.ends_with(".html"));
    assert_eq!(there, here);
    bucket.proxy.pass();
    bucket.kalends("run").succeeds().says("nothing to do");
    bucket.kalends("report").succeeds().says(&format!("open {}/index.html", bucket.url()));
    assert_eq!(bucket.proxy.writes(), [""; 0]);
    bucket.put("index.html", b"<!doctype html>\n<!-- A report of Kalends, spoilt");
    bucket.kalends("run").succeeds().says("1 page");
    bucket.kalends("verify").succeeds();
}

#[test]
fn check_looks_at_the_bucket() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.production(TABLE);
    let ran = bucket.kalends("check");
    ran.succeeds().says(&format!("\"{}\" can be listed; what may be read and written there", bucket.url()));
    assert!(!ran.stdout.contains("free at"), "{}", ran.stdout);
    assert_eq!(bucket.proxy.writes(), [""; 0]);
    let kind = bucket.server.kind;
    let [denied, _, none] = kind.codes();
    bucket.proxy.choose(move |_| Deed::Status(403, denied));
    bucket.kalends("check").fails_with(1).says(kind.right());
    let missing = format!("{}://there-is-none/prefix", kind.scheme());
    bucket.proxy.pass();
    bucket.kalends_with("check", &[("KALENDS_EXPORTS", &missing)]).fails_with(1).says(none).says("Create it");
}

#[test]
fn a_file_url_is_a_folder_and_a_wrong_url_a_usage_error() {
    let world = World::new();
    world.production(TABLE);
    let url = format!("file://{}", world.exports.display());
    world.kalends_with("run", &[("KALENDS_EXPORTS", &url)]).succeeds();
    world.settles();
    for wrong in ["ftp://host/folder", "s3://", "s3://bucket//x", "file://host/x"] {
        world.kalends(&format!("run --exports {wrong}")).fails_with(2).says("the URL of the exports");
    }
    world.kalends("run --exports http://host/x").fails_with(2).says("file:, s3:, gs: or az:");
}
