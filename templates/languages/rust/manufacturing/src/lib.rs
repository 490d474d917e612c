use backworks_plugin_sdk::*;
use std::sync::OnceLock;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// A value is raw * factor + offset.
    #[serde(default = "one")]
    factor: f64,
    /// Added to each value.
    #[serde(default)]
    offset: f64,
    /// A value below it is an alarm.
    #[serde(default)]
    low: f64,
    /// A value above it is an alarm.
    #[serde(default = "hundred")]
    high: f64,
}

fn one() -> f64 {
    1.0
}

fn hundred() -> f64 {
    100.0
}

/// Values are rounded to a thousandth; whole numbers are written without a fraction.
fn rounded(value: f64) -> Value {
    let value = (value * 1000.0).round() / 1000.0;
    if value.fract() == 0.0 && value.abs() < 1e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

impl Config {
    /// The values and alarms of readings, or what is wrong with the body.
    fn check(&self, body: &Value) -> Result<Value, &'static str> {
        let (Some(sensor), Some(raw)) = (body["sensor"].as_str(), body["raw"].as_array()) else {
            return Err("The body needs a text \"sensor\" and a list \"raw\".");
        };
        if raw.is_empty() {
            return Err("The list \"raw\" is empty.");
        }
        let mut values = Vec::new();
        let mut alarms = Vec::new();
        for (index, reading) in raw.iter().enumerate() {
            let reading = reading.as_f64().ok_or("A reading is not a number.")?;
            let value = reading * self.factor + self.offset;
            if value < self.low || value > self.high {
                let limit = if value < self.low { "low" } else { "high" };
                alarms.push(json!({ "index": index, "limit": limit, "value": rounded(value) }));
            }
            values.push(rounded(value));
        }
        Ok(json!({ "alarms": alarms, "sensor": sensor, "values": values }))
    }
}

#[derive(Default)]
struct Readings {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for Readings {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Checks sensor readings."
    }

    fn manifest(&self) -> Manifest {
        Manifest::new()
            .hooks([Hook::ProcessEndpoint])
            .config::<Config>()
    }

    async fn initialize(&self, config: &Value) -> BackworksResult<()> {
        let config = Config::from_value(config)?;
        self.config
            .set(config)
            .map_err(|_| PluginError::new("initialized twice"))
    }

    async fn process_endpoint(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
        let config = self
            .config
            .get()
            .ok_or_else(|| PluginError::new("not initialized"))?;
        let body = match request.body().encoding() {
            BodyEncoding::Json => request.body().json()?,
            _ => Value::Null,
        };
        let reply = match config.check(&body) {
            Ok(answer) => Reply::json(&answer)?,
            Err(detail) => Reply::problem(422, "Unprocessable Content", detail),
        };
        Ok(reply.into())
    }
}

export_plugin!(Readings);

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::from_value(&json!({ "factor": 0.5, "low": 1, "high": 9 })).unwrap()
    }

    #[test]
    fn readings_are_scaled_and_those_outside_of_the_limits_are_alarms() {
        let answer = config().check(&json!({ "sensor": "a", "raw": [10, 1, 20] }));
        let expected = json!({
            "alarms": [
                { "index": 1, "limit": "low", "value": 0.5 },
                { "index": 2, "limit": "high", "value": 10 },
            ],
            "sensor": "a",
            "values": [5, 0.5, 10],
        });
        assert_eq!(answer, Ok(expected));
    }

    #[test]
    fn a_body_without_readings_is_refused() {
        for body in [json!(null), json!([]), json!({ "raw": [1] })] {
            assert!(config().check(&body).is_err(), "{body}");
        }
        assert!(
            config()
                .check(&json!({ "sensor": "a", "raw": ["1"] }))
                .is_err()
        );
    }
}
