use backworks_plugin_sdk::*;
use std::sync::OnceLock;

/// Prices are whole numbers of this part of the currency.
const DECIMALS: usize = 4;
const UNIT: u128 = 10_000;
const QUANTITY_MAX: u64 = 100_000;

/// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from this type.
#[derive(PluginConfig)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The symbols that may be traded.
    symbols: Vec<String>,
    /// The largest quantity times price of an order.
    #[serde(default = "million")]
    max_notional: u32,
}

fn million() -> u32 {
    1_000_000
}

/// Reads a price such as "12.50" without rounding: 125000 units.
fn units(price: &str) -> Option<u128> {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() > 12 || fraction.len() > DECIMALS {
        return None;
    }
    format!("{whole}{fraction:0<DECIMALS$}").parse().ok()
}

impl Config {
    /// The notional of an order in units, or what is wrong with the order.
    fn check(&self, order: &Value) -> Result<u128, Vec<Value>> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, reason: &str| {
            errors.push(json!({ "field": field, "reason": reason }));
        };
        let symbol = order["symbol"].as_str().unwrap_or_default();
        if !self.symbols.iter().any(|known| known == symbol) {
            wrong("symbol", "is not traded here");
        }
        if !matches!(order["side"].as_str(), Some("buy" | "sell")) {
            wrong("side", "is neither buy nor sell");
        }
        let quantity = order["quantity"]
            .as_u64()
            .filter(|q| (1..=QUANTITY_MAX).contains(q));
        if quantity.is_none() {
            wrong(
                "quantity",
                &format!("is not a whole number from 1 to {QUANTITY_MAX}"),
            );
        }
        let price = order["price"]
            .as_str()
            .and_then(units)
            .filter(|price| *price > 0);
        if price.is_none() {
            wrong(
                "price",
                "is not a text with a positive number of at most 4 decimals",
            );
        }
        let notional = u128::from(quantity.unwrap_or_default()) * price.unwrap_or_default();
        if notional > u128::from(self.max_notional) * UNIT {
            wrong("notional", &format!("is more than {}", self.max_notional));
        }
        if errors.is_empty() {
            Ok(notional)
        } else {
            Err(errors)
        }
    }

    fn answer(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
        let order = match request.body().encoding() {
            BodyEncoding::Json => request.body().json()?,
            _ => Value::Null,
        };
        let reply = match self.check(&order) {
            Ok(notional) => {
                let text = format!("{}.{:04}", notional / UNIT, notional % UNIT);
                Reply::json(&json!({ "accepted": true, "notional": text }))?
            }
            Err(errors) => {
                Reply::json(&json!({ "accepted": false, "errors": errors }))?.status(422)
            }
        };
        Ok(reply.into())
    }
}

#[derive(Default)]
struct OrderCheck {
    config: OnceLock<Config>,
}

#[async_trait]
impl BackworksPlugin for OrderCheck {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &str {
        "Checks orders."
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
        config.answer(request)
    }
}

export_plugin!(OrderCheck);

#[cfg(test)]
mod tests {
    use super::*;
    use backworks_plugin_sdk::testing::{MockHost, TestRequest};

    #[test]
    fn prices_are_read_without_rounding() {
        assert_eq!(units("12.50"), Some(125_000));
        assert_eq!(units("7"), Some(70_000));
        assert_eq!(units("0.0001"), Some(1));
        for wrong in ["", ".", "1.", ".5", "1.23456", "-1", "1e3", "1 "] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let host = MockHost::new();
        let config = json!({ "symbols": ["ACME"] });
        let plugin = host.start::<OrderCheck>(&config).unwrap();
        let send = |order: Value| {
            let request = TestRequest::post("/orders").json(&order).unwrap();
            plugin.process_endpoint(&request).unwrap().unwrap()
        };
        let order = json!({ "symbol": "ACME", "side": "buy", "quantity": 3, "price": "1.5" });
        assert_eq!(send(order).body["notional"], "4.5000");
        let refused = send(json!({ "symbol": "XYZ" }));
        assert_eq!(refused.status, 422);
        let errors = refused.body["errors"].as_array().unwrap();
        let fields: Vec<&Value> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, ["symbol", "side", "quantity", "price"]);
    }
}
