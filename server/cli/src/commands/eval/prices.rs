//! What a run costs, by the prices that the caller names: a price list of our
//! own would be wrong within weeks.

/// Prices for a million tokens, in any one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prices {
    /// Of tokens that are read.
    pub(super) input: f64,
    /// Of those among them that the provider has in its cache.
    pub(super) cached: f64,
    /// Of tokens that are written.
    pub(super) output: f64,
}

const MILLION: f64 = 1_000_000.0;

impl Prices {
    /// What these tokens cost; `cached` are among `input`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of money is not more exact than that"
    )]
    pub(super) fn cost(self, input: u64, cached: u64, output: u64) -> f64 {
        let cached = cached.min(input);
        let price = |tokens: u64, price: f64| tokens as f64 * price / MILLION;
        price(input - cached, self.input) + price(cached, self.cached) + price(output, self.output)
    }
}

/// A price on the command line.
pub(crate) fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err(format!(
            "`{text}` is no price: name one for a million tokens, such as 0.25"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_paid_once_and_at_their_price() {
        let prices = Prices {
            input: 2.0,
            cached: 0.5,
            output: 8.0,
        };
        let cost = prices.cost(3_000_000, 1_000_000, 500_000);
        assert!((cost - (4.0 + 0.5 + 4.0)).abs() < 1e-9, "{cost}");
        // An endpoint that counts the cache apart.
        assert!((prices.cost(10, 1_000_000, 0) - 0.000_005).abs() < 1e-12);
    }

    #[test]
    fn a_price_is_a_number_that_is_not_negative() {
        assert_eq!(price("0"), Ok(0.0));
        assert_eq!(price("1.25"), Ok(1.25));
        for wrong in ["-1", "NaN", "inf", "1,25", "", "$2"] {
            assert!(price(wrong).is_err_and(|error| error.contains(wrong)));
        }
    }
}
