//! Lines of JSON: an object each, with the columns as keys, in their order. A number is written with all of its digits,
//! as JSON allows; readers that take it for a double round it. NaN and infinities, which JSON does not have, are texts.

use crate::entity::Kind;
use crate::error::Result;

/// Adds a line: names, each with a text and what it holds.
pub(super) fn write_line<'a>(
    line: &mut Vec<u8>,
    fields: impl Iterator<Item = (&'a str, (Option<&'a str>, &'a Kind))>,
) -> Result<()> {
    for (at, (name, (text, kind))) in fields.enumerate() {
        line.push(if at == 0 { b'{' } else { b',' });
        serde_json::to_writer(&mut *line, name)?;
        line.push(b':');
        match text {
            None => line.extend_from_slice(b"null"),
            Some(text) if !matches!(kind, Kind::Text { .. }) && is_number(text) => {
                line.extend_from_slice(text.as_bytes());
            }
            Some(text) => serde_json::to_writer(&mut *line, text)?,
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

/// Whether the text of a number is a number in JSON as well: PostgreSQL writes neither a plus sign nor a point in
/// front, and NaN and infinities begin with letters.
fn is_number(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_all_else_is_text_or_null() {
        let long = "12345678901234567890123456789012345678901234567890.5";
        let number = |text| (Some(text), &Kind::Number);
        let fields = [
            ("a", number(long)),
            ("b", number("-0.1")),
            ("c", number("1e+130")),
            ("d", number("NaN")),
            ("e", number("-Infinity")),
            ("f", (None, &Kind::Number)),
            ("g", (Some("7"), &Kind::Text { number: true })),
            ("h\"", (Some("a\"\\\n\r\t\u{1}ü"), &Kind::Text { number: false })),
            ("i", (None, &Kind::Text { number: false })),
        ];
        let mut line = Vec::new();
        write_line(&mut line, fields.into_iter()).unwrap();
        let expected = format!(
            "{{\"a\":{long},\"b\":-0.1,\"c\":1e+130,\"d\":\"NaN\",\"e\":\"-Infinity\",\"f\":null,\"g\":\"7\",\
             \"h\\\"\":\"a\\\"\\\\\\n\\r\\t\\u0001ü\",\"i\":null}}\n"
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }
}
