//! Lines of CSV by RFC 4180, except that lines end with LF. We write them ourselves, because no library distinguishes
//! NULL (an empty field) from an empty text (`""`).

/// Characters that start a formula in a spreadsheet, or that it skips before a formula.
const STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠'];

/// A field and its text.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    /// A number or a word of ours.
    Plain(Option<&'a str>),
    /// A text from production. If it starts like a formula, it gets a `'` in front. So does one that starts with a `'`,
    /// so that different texts stay different.
    Text(Option<&'a str>),
}

/// Adds a line.
pub fn write_line<'a>(line: &mut Vec<u8>, fields: impl Iterator<Item = Field<'a>>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            line.push(b',');
        }
        match field {
            Field::Plain(None) | Field::Text(None) => {}
            Field::Plain(Some(text)) => write_field(line, "", text),
            Field::Text(Some(text)) => write_field(line, if text.starts_with(STARTS) { "'" } else { "" }, text),
        }
    }
    line.push(b'\n');
}

fn write_field(line: &mut Vec<u8>, mark: &str, text: &str) {
    let quoted = text.is_empty() || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if !quoted {
        line.extend_from_slice(mark.as_bytes());
        line.extend_from_slice(text.as_bytes());
        return;
    }
    line.push(b'"');
    line.extend_from_slice(mark.as_bytes());
    for byte in text.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &[Field<'_>]) -> String {
        let mut line = Vec::new();
        write_line(&mut line, fields.iter().copied());
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn null_and_empty_and_quotes_are_told_apart() {
        let fields = [None, Some(""), Some("\""), Some("a,b"), Some("a\r\nb"), Some(" a ")];
        assert_eq!(line(&fields.map(Field::Text)), ",\"\",\"\"\"\",\"a,b\",\"a\r\nb\", a \n");
    }

    #[test]
    fn no_formula_starts_in_a_text_and_numbers_stay_numbers() {
        for start in STARTS {
            let text = format!("{start}1");
            let found = line(&[Field::Text(Some(&text))]);
            assert_eq!(found.trim_matches(['"', '\n']), format!("'{text}"));
            assert_eq!(line(&[Field::Text(Some(&format!("a{text}")))]).find('\''), (start == '\'').then_some(1));
        }
        assert_eq!(line(&[Field::Plain(Some("-5")), Field::Text(Some("-5"))]), "-5,'-5\n");
    }
}
