//! Finds the members of a JSON object without reading their values.

use crate::{PluginError, PluginResult};

/// The members of an object, in order. Values are delimited and not checked: whoever reads a value does that.
pub(crate) struct Members<'a> {
    json: &'a str,
    at: usize,
    is_first: bool,
}

impl<'a> Members<'a> {
    pub(crate) fn of(json: &'a str) -> PluginResult<Self> {
        let mut members = Self {
            json,
            at: 0,
            is_first: true,
        };
        members.expect(b'{')?;
        Ok(members)
    }

    /// The name of the next member without its quotes, and the JSON text of its value.
    #[cfg(test)]
    pub(crate) fn next(&mut self) -> PluginResult<Option<(&'a str, &'a str)>> {
        self.next_after("")
    }

    /// As `next`, and faster when the name is the expected one.
    pub(crate) fn next_after(
        &mut self,
        expected: &str,
    ) -> PluginResult<Option<(&'a str, &'a str)>> {
        if self.skip_space() == Some(b'}') {
            return Ok(None);
        }
        if !self.is_first {
            self.expect(b',')?;
        }
        self.is_first = false;
        let name = match self.expected_name(expected) {
            Some(name) => name,
            None => self.name()?,
        };
        Ok(Some((name, self.value()?)))
    }

    /// Passes this name and the colon behind it, if they are next.
    fn expected_name(&mut self, name: &str) -> Option<&'a str> {
        let start = self.at + 1;
        let end = start + name.len();
        let found = self.json.get(start..end)?;
        let bytes = self.json.as_bytes();
        let is_expected = bytes.get(self.at) == Some(&b'"')
            && found == name
            && bytes.get(end..end + 2) == Some(b"\":");
        self.at = if is_expected { end + 2 } else { self.at };
        is_expected.then_some(found)
    }

    fn name(&mut self) -> PluginResult<&'a str> {
        let name = self.value()?;
        self.expect(b':')?;
        let inner = name.len().checked_sub(1).and_then(|end| name.get(1..end));
        match inner {
            Some(inner) if name.starts_with('"') => Ok(inner),
            _ => Err(self.broken()),
        }
    }

    fn value(&mut self) -> PluginResult<&'a str> {
        let first = self.skip_space();
        let start = self.at;
        let end = match first {
            Some(b'"') => self.end_of_string(start),
            Some(b'{' | b'[') => self.end_of_nested(start),
            _ => self.end_of_word(start),
        };
        self.at = end.ok_or_else(|| self.broken())?;
        self.json.get(start..self.at).ok_or_else(|| self.broken())
    }

    /// `start` is the opening quote.
    fn end_of_string(&self, start: usize) -> Option<usize> {
        let bytes = self.json.as_bytes();
        let mut at = start + 1;
        loop {
            while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
                let word = u64::from_le_bytes(*word);
                let found = bytes_equal(word, b'"') | bytes_equal(word, b'\\');
                at += found.trailing_zeros() as usize / 8;
                if found != 0 {
                    break;
                }
            }
            match *bytes.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// `start` is the opening brace or bracket.
    fn end_of_nested(&self, start: usize) -> Option<usize> {
        let bytes = self.json.as_bytes();
        let mut depth = 0_usize;
        let mut at = start;
        loop {
            match *bytes.get(at)? {
                b'"' => at = self.end_of_string(at)?,
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    at += 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => at += 1,
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn end_of_word(&self, start: usize) -> Option<usize> {
        let rest = self.json.as_bytes().get(start..)?;
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))
            .unwrap_or(rest.len());
        (length > 0).then_some(start + length)
    }

    fn expect(&mut self, byte: u8) -> PluginResult<()> {
        if self.skip_space() != Some(byte) {
            return Err(self.broken());
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte that is no white space.
    fn skip_space(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn broken(&self) -> PluginError {
        PluginError::new(format!("it is not a JSON object: see byte {}", self.at))
    }
}

/// The highest bit of each byte of the word that has this value. Only the lowest of them is reliable.
fn bytes_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = LOW << 7;
    let differs = word ^ (LOW * u64::from(byte));
    differs.wrapping_sub(LOW) & !differs & HIGH
}

#[cfg(test)]
mod tests {
    use super::Members;

    fn members(json: &str) -> Option<Vec<(&str, &str)>> {
        let mut members = Members::of(json).ok()?;
        let mut found = Vec::new();
        while let Some(member) = members.next().ok()? {
            found.push(member);
        }
        Some(found)
    }

    #[test]
    fn values_are_delimited() {
        let json =
            " { \"a\" : \"x\\\"}\" , \"b\":{\"c\":[1,{\"d\":\"]\"}]},\"e\":-1.5e+3,\"f\":null }";
        let expected = [
            ("a", r#""x\"}""#),
            ("b", r#"{"c":[1,{"d":"]"}]}"#),
            ("e", "-1.5e+3"),
            ("f", "null"),
        ];
        assert_eq!(members(json).unwrap(), expected);
        for length in 0..40 {
            let text = format!(r#""{}\\""#, "x".repeat(length));
            let json = format!(r#"{{"a":{text},"b":[{text}]}}"#);
            assert_eq!(members(&json).unwrap()[0], ("a", text.as_str()), "{json}");
        }
        assert_eq!(members("{}").unwrap(), []);
        assert_eq!(members("{\"ü\":\"ü\"}").unwrap(), [("ü", "\"ü\"")]);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for json in [
            "",
            "[]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1 2}",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{\"a\":[",
            "{a:1}",
            "{,}",
            "{\"a\" 1}",
            "{1:2}",
            "{\"a\":\"ü\\",
        ] {
            assert_eq!(members(json), None, "{json}");
        }
    }
}
