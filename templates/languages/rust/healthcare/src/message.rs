use backworks_plugin_sdk::{Value, json};

/// An HL7 v2 message, whose first segment is MSH.
pub struct Message<'a> {
    separator: char,
    /// The parts of each segment: its name, then its fields.
    segments: Vec<Vec<&'a str>>,
}

impl<'a> Message<'a> {
    /// Splits a message into segments and fields. Segments end with CR, LF or both.
    pub fn parse(text: &'a str, max_segments: usize) -> Result<Self, String> {
        let lines: Vec<&str> = text
            .split(['\r', '\n'])
            .filter(|line| !line.is_empty())
            .collect();
        let separator = lines
            .first()
            .and_then(|line| line.strip_prefix("MSH"))
            .and_then(|rest| rest.chars().next())
            .ok_or("the message does not begin with MSH and a field separator")?;
        if lines.len() > max_segments {
            return Err(format!("the message has more than {max_segments} segments"));
        }
        let mut segments = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let segment: Vec<&str> = line.split(separator).collect();
            if !is_segment_name(segment[0]) {
                return Err(format!(
                    "segment {} has the name {:?}",
                    index + 1,
                    segment[0]
                ));
            }
            segments.push(segment);
        }
        let message = Self {
            separator,
            segments,
        };
        if message.header(9).is_empty() {
            return Err("MSH has no control id (field 10)".to_owned());
        }
        Ok(message)
    }

    /// A field of MSH by its position, the first being 1: in MSH the separator itself counts as field 1.
    pub fn header(&self, position: usize) -> &'a str {
        self.segments[0].get(position).copied().unwrap_or_default()
    }

    /// The segments as JSON. Their fields begin with the first one behind the name.
    pub fn segments(&self) -> impl Iterator<Item = Value> {
        self.segments
            .iter()
            .map(|segment| json!({ "fields": segment[1..], "name": segment[0] }))
    }

    /// The answer for the sender: AA, or AE when a required segment is missing. It repeats the time of the message;
    /// put the current time there when its sender needs it.
    pub fn acknowledge(&self, required: &[String]) -> String {
        let has = |name: &String| self.segments.iter().any(|segment| segment[0] == name);
        let missing = required
            .iter()
            .find(|name| !has(name))
            .map(|name| format!("a segment {name} is missing"));
        let mut header = vec!["MSH"];
        header.extend([1, 4, 5, 2, 3, 6].map(|position| self.header(position)));
        header.extend(["", "ACK", self.header(9), self.header(10), self.header(11)]);
        let mut status = vec![
            "MSA",
            if missing.is_some() { "AE" } else { "AA" },
            self.header(9),
        ];
        status.extend(missing.as_deref());
        let separator = self.separator.to_string();
        format!("{}\r{}", header.join(&separator), status.join(&separator))
    }
}

/// A capital letter, and two capital letters or digits.
fn is_segment_name(name: &str) -> bool {
    let is_capital_or_digit = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    name.len() == 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(is_capital_or_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r"MSH|^~\&|LAB|CITY|HIS|WARD|20260102||ADT^A01|42|P|2.5";

    #[test]
    fn segments_and_fields_are_read() {
        let text = format!("{HEADER}\r\nPID|1||77\r\n");
        let message = Message::parse(&text, 10).unwrap();
        let segments: Vec<Value> = message.segments().collect();
        assert_eq!(
            segments[1],
            json!({ "name": "PID", "fields": ["1", "", "77"] })
        );
        let ack = "MSH|^~\\&|HIS|WARD|LAB|CITY|20260102||ACK|42|P|2.5\rMSA|AA|42";
        assert_eq!(message.acknowledge(&["PID".to_owned()]), ack);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let wrong = [
            "".to_owned(),
            "hello".to_owned(),
            "MSH".to_owned(),
            r"MSH|^~\&|LAB".to_owned(),
            format!("{HEADER}\rpid|1"),
            format!("{HEADER}\rPID|1\rPID|2"),
        ];
        for text in wrong {
            assert!(Message::parse(&text, 2).is_err(), "{text}");
        }
    }
}
