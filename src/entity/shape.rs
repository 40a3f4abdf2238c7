//! An entity as statements see it: only quoted names, quoted texts and fixed words.

use serde::Serialize;

use super::columns::{self, Column, Trend};
use super::dimension::{Dimension, Hashed, stored_in};
use super::model::Model;
use super::number::Number;
use super::split::Split;
use super::theirs::{TheirColumn, Theirs};
use crate::calendar::Level;
use crate::error::Result;
use crate::sql::{Ident, Literal, Shape, Word};

/// Everything that statements are filled from.
#[derive(Serialize)]
struct ModelShape {
    name: Literal,
    rows: Ident,
    time: Ident,
    kind: Word,
    zone: Literal,
    /// Whether there are accounts of hours that depend on the zone. The hash of a row then includes the zone's offset.
    hours_follow_zone: bool,
    levels: Vec<LevelShape>,
    measures: Vec<MeasureShape>,
    dimensions: Vec<DimensionShape>,
    /// What accounts store of the measures, in the order of the ledger.
    stored_columns: Vec<StoredColumn>,
    /// The tables of days, months and years.
    days: Ident,
    months: Ident,
    years: Ident,
    /// The accounts that a statement is about: their level, the column of their parts, and the columns that distinguish
    /// combinations.
    level: Word,
    part: Word,
    keys: Vec<Ident>,
    /// The fields that a file's lines are sorted by, counted from 1.
    sorted_by: Vec<usize>,
    /// The columns of another tool's table, if rows are read from one.
    theirs: Vec<TheirColumn>,
    /// How many rows of a million the accounts count, if not all.
    sample: Option<u32>,
}

#[derive(Serialize)]
struct LevelShape {
    word: Word,
    /// Type of the column with the period.
    kind: Word,
    table: Ident,
    by_table: Ident,
    file_view: Ident,
    stats_view: Ident,
    trend_view: Ident,
    columns: Vec<Column>,
    /// The columns that views have beside those of files.
    start: Ident,
    closed: Ident,
    trends: Vec<Trend>,
    /// Whether it has accounts, and whether it has views and files.
    made: bool,
    published: bool,
}

#[derive(Clone, Serialize)]
struct MeasureShape {
    column: Ident,
    alias: Ident,
    kind: Word,
    whole: bool,
    small: bool,
    binary: bool,
    hash: Word,
    count: Ident,
    sum: Ident,
    min: Ident,
    max: Ident,
    squares: Ident,
}

#[derive(Serialize)]
struct StoredColumn {
    name: Ident,
    what: Word,
    kind: Word,
    measure: MeasureShape,
}

#[derive(Serialize)]
struct DimensionShape {
    column: Ident,
    /// The column of its text in the accounts of combinations.
    stored: Ident,
    /// Its type in the warehouse.
    kind: Ident,
    as_text: bool,
    hashed_as: Word,
    hash: Word,
}

impl Model {
    /// The model as statements see it.
    pub fn shape(&self) -> Result<Shape> {
        self.made.shape(|| Shape::new(&self.whole_shape()?))
    }

    /// For a statement about a level's accounts, computed from those of a smaller level.
    pub fn shape_of(&self, level: Level, part: Level, split: Split) -> Result<Shape> {
        let mut shape = self.whole_shape()?;
        shape.level = Word(level.word());
        shape.part = Word(if part == Level::Hour { "hour::date" } else { part.word() });
        if split == Split::Combinations {
            shape.keys.push(Ident::new("combination")?);
            shape.keys.extend(shape.dimensions.iter().map(|dimension| dimension.stored.clone()));
        }
        Shape::new(&shape)
    }

    /// For a statement about a level's files.
    pub fn shape_of_files(&self, level: Level) -> Result<Shape> {
        let mut shape = self.whole_shape()?;
        let columns = self.file_columns(level)?;
        let places = columns.iter().zip(1..).filter(|(column, _)| column.what.0 == "dimension");
        shape.sorted_by = places.map(|(_, place)| place).collect();
        Shape::new(&shape)
    }

    /// For a statement that reads another tool's table as if it were the entity's.
    pub fn shape_of_theirs(&self, theirs: &Theirs) -> Result<Shape> {
        let mut shape = self.whole_shape()?;
        shape.theirs.clone_from(&theirs.columns);
        Shape::new(&shape)
    }

    /// For a statement about so many rows of a million, not all.
    pub fn shape_of_sample(&self, of_a_million: u32) -> Result<Shape> {
        let mut shape = self.whole_shape()?;
        shape.sample = Some(of_a_million);
        Shape::new(&shape)
    }

    fn whole_shape(&self) -> Result<ModelShape> {
        let entity = &self.entity;
        let levels = Level::ALL.into_iter().map(|level| self.level_shape(level));
        let pairs = entity.measures.iter().zip(&self.measures).enumerate();
        let measures =
            pairs.map(|(at, (column, &number))| self.measure(at, column, number)).collect::<Result<Vec<_>>>()?;
        let pairs = entity.dimensions.iter().zip(&self.dimensions);
        Ok(ModelShape {
            name: Literal::new(self.name())?,
            rows: entity.name.clone(),
            time: entity.time.clone(),
            kind: Word(self.time.kind()),
            zone: Literal::new(entity.time_zone.as_deref().unwrap_or("UTC"))?,
            hours_follow_zone: self.hours_follow_zone(),
            levels: levels.collect::<Result<_>>()?,
            stored_columns: measures.iter().flat_map(|measure| self.stored_columns(measure)).collect(),
            measures,
            dimensions: pairs.map(|(column, dimension)| dimension.shape(column)).collect::<Result<_>>()?,
            days: self.accounts(Level::Day, Split::Whole)?,
            months: self.accounts(Level::Month, Split::Whole)?,
            years: self.accounts(Level::Year, Split::Whole)?,
            level: Word(Level::Day.word()),
            part: Word(Level::Day.word()),
            keys: Vec::new(),
            sorted_by: Vec::new(),
            theirs: Vec::new(),
            sample: None,
        })
    }

    fn level_shape(&self, level: Level) -> Result<LevelShape> {
        let columns = self.file_columns(level)?;
        let (start, closed) = columns::beside(&columns)?;
        Ok(LevelShape {
            word: Word(level.word()),
            kind: Word(if level == Level::Hour { "timestamp" } else { "date" }),
            table: self.accounts(level, Split::Whole)?,
            by_table: self.accounts(level, Split::Combinations)?,
            file_view: self.view(level)?,
            stats_view: self.stats_view(level)?,
            trend_view: self.trend_view(level)?,
            trends: columns::trends(&self.entity, &columns, [&start, &closed])?,
            columns,
            start,
            closed,
            made: self.keeps(level),
            published: self.entity.levels.contains(&level),
        })
    }

    fn measure(&self, at: usize, column: &Ident, number: Number) -> Result<MeasureShape> {
        let label = columns::label(&self.entity, column);
        let named = |statistic: &str| Ident::cut(&format!("{statistic}_{label}"));
        Ok(MeasureShape {
            column: column.clone(),
            alias: Ident::new(format!("measure_{at}"))?,
            kind: Word(number.word()),
            whole: matches!(number, Number::Smallint | Number::Integer | Number::Bigint),
            small: matches!(number, Number::Smallint | Number::Integer),
            binary: matches!(number, Number::Real | Number::Double),
            hash: Word(number.hash()),
            count: named("count")?,
            sum: named("sum")?,
            min: named("min")?,
            max: named("max")?,
            squares: named("squares")?,
        })
    }

    fn stored_columns(&self, measure: &MeasureShape) -> impl Iterator<Item = StoredColumn> + use<> {
        let column = |name: &Ident, what, kind| StoredColumn {
            name: name.clone(),
            what: Word(what),
            kind,
            measure: measure.clone(),
        };
        let mut all = vec![
            column(&measure.count, "count", Word("bigint")),
            column(&measure.sum, "sum", Word("numeric")),
            column(&measure.min, "min", measure.kind),
            column(&measure.max, "max", measure.kind),
        ];
        if self.keeps_squares() {
            all.push(column(&measure.squares, "squares", Word("numeric")));
        }
        all.into_iter()
    }
}

impl Dimension {
    fn shape(&self, column: &Ident) -> Result<DimensionShape> {
        let (hashed_as, hash) = match self.hashed() {
            Hashed::Number(function) => ("number", function),
            Hashed::Text => ("text", ""),
            Hashed::Printed => ("printed", ""),
        };
        Ok(DimensionShape {
            column: column.clone(),
            stored: stored_in(column)?,
            kind: self.stored_as.clone(),
            as_text: self.as_text,
            hashed_as: Word(hashed_as),
            hash: Word(hash),
        })
    }
}
