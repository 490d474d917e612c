//! See ../../raw.c.

use backworks_plugin_sdk::*;
use serde::Serialize;

#[derive(Serialize)]
struct Weather<'a> {
    city: &'a str,
    celsius: f64,
    sky: &'a str,
}

#[derive(Default)]
struct Bench;

#[async_trait]
impl BackworksPlugin for Bench {
    fn name(&self) -> &str {
        "bench"
    }

    fn version(&self) -> &str {
        "1.0.0"
    }

    fn description(&self) -> &str {
        "Answers at once."
    }

    async fn process_endpoint(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
        let Some(city) = request.param("city") else {
            return Ok(EndpointAction::Pass);
        };
        let weather = Weather {
            city,
            celsius: 21.5,
            sky: "fair",
        };
        Ok(Reply::json(&weather)?.into())
    }
}

export_plugin!(Bench);
