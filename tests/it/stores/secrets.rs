//! Keys and tokens are in no output, whatever the store answers: `kit::Ran` looks for them in that of each run.

use super::bucket::Bucket;
use super::kind::Kind;
use super::proxy::Deed;
use super::published;
use crate::kit::{CANARY, World};

#[test]
fn no_output_has_a_key_or_a_token_under_any_fault() {
    let Some(bucket) = published() else { return };
    bucket.world.settings("[limits]\nconnect_timeout = \"200ms\"\n");
    bucket.world.production("created_at | value\n 2024-01-02 | 7");
    bucket.world.kalends("prepare").succeeds();
    // A server repeats what it was sent, to say which part of it is signed wrongly.
    let secrets = bucket.server.kind.secrets();
    let repeated = format!("SignatureDoesNotMatch</Code><Message>{}</Message><Code>", secrets.join(" and "));
    let [repeated, alone] = [repeated, secrets.last().cloned().unwrap_or_default()].map(|text| &*text.leak());
    for deed in [
        Deed::Status(500, "InternalError"),
        Deed::Status(403, repeated),
        Deed::Status(400, alone),
        Deed::Silence,
        Deed::CutAnswer,
        Deed::Reset,
    ] {
        for (arguments, at) in [("export -vv", 1), ("export -vv", 3), ("status --json -vv", 1), ("check --json -vv", 1)]
        {
            bucket.proxy.choose(move |asked| if asked.number >= at { deed } else { Deed::Pass });
            let ran = bucket.kalends(arguments);
            assert!(bucket.proxy.asked().len() >= at, "{arguments} did not come so far");
            for secret in &secrets {
                assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{}{}", ran.stdout, ran.stderr);
            }
            assert!(!ran.stderr.contains("X-Amz-") && !ran.stderr.contains("Signature="), "{}", ran.stderr);
            assert!(!ran.stderr.to_lowercase().contains("authorization"), "{}", ran.stderr);
        }
    }
}

#[test]
fn credentials_may_come_from_a_profile() {
    let Some(bucket) = Bucket::new(World::new()).filter(|bucket| bucket.server.kind == Kind::S3) else { return };
    bucket.world.production(super::TABLE);
    let aws = bucket.world.folder().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let keys = format!("[figures]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = {CANARY}\n");
    std::fs::write(aws.join("credentials"), keys).unwrap();
    std::fs::write(aws.join("config"), "[profile figures]\nregion = eu-central-1\n").unwrap();
    let profile = |name: &str| {
        let mut command = bucket.command("run -vv");
        for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
            command.env_remove(variable);
        }
        command.env("HOME", bucket.world.folder()).env("AWS_PROFILE", name);
        crate::kit::Ran::of(command.output().unwrap(), "run -vv")
    };
    profile("none").fails_with(2).says("the profile \"none\" of AWS_PROFILE");
    profile("figures").succeeds();
    bucket.is_exact();
}
