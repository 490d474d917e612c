//! The weather, without a network: yearly means for ten cities. For any other name, the numbers are
//! derived from the name. Table and arithmetic are those of the C example; a test compares the two.

pub struct Climate<'a> {
    /// The name as it is usually written, or as in the request.
    pub city: &'a str,
    /// Degrees Celsius times ten.
    pub temperature_tenths: i32,
    /// Relative.
    pub humidity_percent: u32,
    pub conditions: &'static str,
    pub basis: &'static str,
}

const KNOWN: [(&str, i32, u32, &str); 10] = [
    ("Berlin", 103, 74, "light cloud"),
    ("Cairo", 224, 56, "clear sky"),
    ("Lisbon", 177, 71, "sunny intervals"),
    ("London", 118, 78, "light rain"),
    ("Mumbai", 272, 75, "humid and hazy"),
    ("Nairobi", 188, 69, "sunny intervals"),
    ("Oslo", 67, 76, "overcast"),
    ("Reykjavik", 51, 79, "strong wind"),
    ("Sydney", 182, 65, "clear sky"),
    ("Tokyo", 158, 68, "light cloud"),
];

const CONDITIONS: [&str; 6] = [
    "clear sky",
    "sunny intervals",
    "light cloud",
    "overcast",
    "light rain",
    "strong wind",
];

/// The climate of a city, ignoring the case of ASCII letters.
pub fn climate_of(city: &str) -> Climate<'_> {
    let known = KNOWN
        .iter()
        .find(|entry| entry.0.eq_ignore_ascii_case(city));
    if let Some(&(name, temperature_tenths, humidity_percent, conditions)) = known {
        return Climate {
            city: name,
            temperature_tenths,
            humidity_percent,
            conditions,
            basis: "yearly mean",
        };
    }
    let hash = hash_of(city);
    Climate {
        city,
        temperature_tenths: (hash % 401) as i32 - 100,
        humidity_percent: hash / 401 % 61 + 35,
        conditions: CONDITIONS[(hash / 401 / 61) as usize % CONDITIONS.len()],
        basis: "derived from the name",
    }
}

/// Celsius to Fahrenheit, both times ten, to the nearest tenth.
pub fn tenths_fahrenheit(tenths_celsius: i32) -> i32 {
    let scaled = tenths_celsius * 9;
    (scaled + if scaled < 0 { -2 } else { 2 }) / 5 + 320
}

/// FNV-1a, 32 bits.
fn hash_of(city: &str) -> u32 {
    city.bytes().fold(2_166_136_261, |hash: u32, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(16_777_619)
    })
}
