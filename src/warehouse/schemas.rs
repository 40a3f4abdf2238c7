//! The schemas of the warehouse: created if they are missing, and migrated.

use tokio_postgres::types::Type;

use super::cluster::HERE;
use super::lock::hold;
use super::tables::make_views;
use super::{ENTITIES, IDENTITY, Reading, STATE, Warehouse, lock_replacing, named};
use crate::db::Work;
use crate::error::{Refusal, Result};
use crate::sql::{Ident, Statement};
use crate::statement;

const SCHEMAS: Statement = statement!("warehouse/schemas.sql");
const CREATE_SCHEMA: Statement = statement!("warehouse/create_schema.sql");
const NOTE_VERSION: Statement = statement!("warehouse/note_version.sql");

pub(super) const NAMES: [&str; 3] = ["kalends", "kalends_raw", "kalends_stats"];

/// The schemas' history, in order. A released migration is never edited; the next one corrects it.
const MIGRATIONS: [Statement; 7] = [
    statement!("warehouse/migrations/0001_first.sql"),
    statement!("warehouse/migrations/0002_proofs.sql"),
    statement!("warehouse/migrations/0003_history.sql"),
    statement!("warehouse/migrations/0004_forgotten.sql"),
    statement!("warehouse/migrations/0005_looked.sql"),
    statement!("warehouse/migrations/0006_readers.sql"),
    statement!("warehouse/migrations/0007_means.sql"),
];

/// Whether no migration is due.
///
/// # Errors
/// Refuses schemas that a newer Kalends made.
async fn are_current(work: &Work<'_>, prepared: bool) -> Result<bool> {
    Ok(version(work, prepared).await? == MIGRATIONS.len())
}

impl Warehouse {
    /// Brings the schemas up to date, in one transaction.
    ///
    /// # Errors
    /// Refuses schemas that are not ours to fill; busy while another run is using the warehouse.
    pub(super) async fn migrate(&mut self) -> Result<()> {
        let work = hold(&mut self.session).await?;
        work.batch(&HERE.into()).await?;
        let row = work.query_one(IDENTITY, &[]).await?;
        let prepared = row.map_or(Ok(false), |row| row.get("prepared"))?;
        let version = version(&work, prepared).await?;
        if version == 0 {
            make(&work).await?;
        } else {
            lock_replacing(&work).await?;
        }
        for (number, migration) in (1_i32..).zip(MIGRATIONS).skip(version) {
            tracing::info!(number, "bringing the warehouse's schemas up to date");
            work.batch(&migration.into()).await?;
            work.execute(NOTE_VERSION, &[(&number, Type::INT4)]).await?;
        }
        // Views of an earlier version read what a migration may have given another form.
        for row in work.query(ENTITIES, &[]).await? {
            make_views(&work, &named(&row)?).await?;
        }
        work.commit().await
    }
}

impl Reading<'_> {
    /// Whether the schemas exist and have the version that this Kalends creates.
    ///
    /// # Errors
    /// Refuses schemas that a newer Kalends made.
    pub async fn is_current(&self) -> Result<bool> {
        are_current(&self.work, self.prepared).await
    }

    /// Whether the schemas exist or can be created.
    ///
    /// # Errors
    /// Those that a run ends with when it brings them up to date.
    pub async fn check_schemas(&self) -> Result<()> {
        if version(&self.work, self.prepared).await? == 0 {
            missing(&self.work).await?;
        }
        Ok(())
    }
}

async fn version(work: &Work<'_>, prepared: bool) -> Result<usize> {
    if !prepared {
        return Ok(0);
    }
    let row = work.query_one(STATE, &[]).await?;
    let version: i32 = row.map_or(Ok(0), |row| row.get("schema_version"))?;
    let version = usize::try_from(version).unwrap_or_default();
    if version > MIGRATIONS.len() {
        return Err(Refusal::refused(
            format!("the warehouse's schemas are of version {version}, this Kalends knows {}", MIGRATIONS.len()),
            "Use the newer Kalends that made them.",
        ));
    }
    Ok(version)
}

/// Creates the missing schemas. Those that exist must be ours and empty.
async fn make(work: &Work<'_>) -> Result<()> {
    for schema in missing(work).await? {
        work.batch(&CREATE_SCHEMA.with(&[("schema", &schema)])?).await?;
    }
    Ok(())
}

/// The schemas that are missing and may be created, before the first migration.
///
/// # Errors
/// Refuses a schema that somebody else owns or has filled, and one that may not be created.
async fn missing(work: &Work<'_>) -> Result<Vec<Ident>> {
    let mut missing = Vec::new();
    for found in work.query(SCHEMAS, &[(&NAMES.as_slice(), Type::TEXT_ARRAY)]).await? {
        let (name, role, database): (&str, &str, &str) =
            (found.get("name")?, found.get("role")?, found.get("database")?);
        let (made, owned, filled): (bool, bool, bool) = (found.get("made")?, found.get("owned")?, found.get("filled")?);
        let may_create: bool = found.get("may_create")?;
        match (made, owned, filled) {
            (true, true, false) => {}
            (true, false, _) => {
                let owner: &str = found.get("owner")?;
                return Err(Refusal::refused(
                    format!(
                        "schema \"{name}\" of the warehouse belongs to role \"{owner}\", and you connect as {role}"
                    ),
                    format!(
                        "Use role \"{owner}\" in KALENDS_WAREHOUSE_URL; or, if the schema is to be {role}'s, \
                         `ALTER SCHEMA {name} OWNER TO {role}`, as docs/grants.sql does."
                    ),
                ));
            }
            (true, true, true) => {
                return Err(Refusal::refused(
                    format!("schema \"{name}\" of the warehouse holds what is not Kalends'"),
                    "Move it to another schema, or name another database in KALENDS_WAREHOUSE_URL.",
                ));
            }
            (false, ..) if may_create => {
                missing.push(Ident::new(name)?);
            }
            (false, ..) => {
                return Err(Refusal::refused(
                    format!("the warehouse has no schema \"{name}\", and role {role} may not make it"),
                    format!(
                        "Make it with `CREATE SCHEMA {name} AUTHORIZATION {role}`, as docs/grants.sql does, \
                         or `GRANT CREATE ON DATABASE {database} TO {role}`."
                    ),
                ));
            }
        }
    }
    Ok(missing)
}
