//! What was recorded: how a link behaved over time, what a device drew, when work came in.
//!
//! Importers take the text and its file's name, which errors say; who reads files is the caller. A text is not trusted: each
//! line is checked, and what is kept is bounded in number and in proportion to the text.

mod arrivals;
mod calendar;
mod csv;
mod decimal;
mod error;
mod lines;
mod mahimahi;
mod measured;
mod power;
mod seconds;
mod steps;

pub use arrivals::{Arrival, ArrivalTrace};
pub use error::TraceError;
pub use power::{PowerTrace, Voltage};
pub(crate) use steps::{LONGEST, MAX_STEPS, nanos};
pub use steps::{LinkStep, LinkTrace, Loss, StepsError, TraceEnd};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::link::{Direction, Link, Missing};

    /// Every importer on one text. What they make of it can be asked.
    fn read(text: &str) {
        let traces = [
            LinkTrace::from_mahimahi("x", text, Direction::Down, Duration::from_millis(1)),
            LinkTrace::from_mahimahi("x", text, Direction::Up, Duration::MAX),
            LinkTrace::from_seconds("x", text, Direction::Down),
            LinkTrace::from_csv("x", text),
            LinkTrace::from_g_net_track("x", text),
            LinkTrace::from_starlink("x", text),
        ];
        for trace in traces.iter().flatten() {
            // Two steps for a line: an opportunity and the silence before it.
            assert!(trace.steps().len() <= 2 * text.lines().count());
            if let Ok(mut link) = Link::recorded(trace, &Missing::default(), 0) {
                link.send(
                    outboard_core::Timestamp::ZERO,
                    Direction::Up,
                    outboard_core::ByteCount::from_bytes(9),
                );
            }
        }
        if let Ok(power) = PowerTrace::from_monsoon("x", text, Some(Voltage::from_millivolts(4_000))) {
            power.energy(outboard_core::Timestamp::ZERO, outboard_core::Timestamp::FAR_FUTURE);
            power.spent(outboard_core::Timestamp::ZERO, outboard_core::Energy::from_microjoules(u64::MAX));
        }
        let _ = ArrivalTrace::from_azure("x", text);
    }

    /// What the formats are made of, in any order.
    fn scraps() -> impl Strategy<Value = String> {
        let scrap = prop::sample::select(vec![
            "t",
            "rtt",
            "up",
            "down (bit/s)",
            "loss (ppm)",
            ",",
            "\n",
            " ",
            "\t",
            "0",
            "1",
            "-",
            "1e9",
            "1e-9",
            "0.5",
            "18446744073709551615",
            "99999999999999999999",
            "1e60",
            "1152921504606846976",
            "-1",
            "x",
            "#",
            "# end: stop",
            "# duration: 1 ns\n",
            "t,up\n0,1\n",
            "Timestamp,DL_bitrate,UL_bitrate,PINGAVG\n",
            "2019.12.16_12.27.05",
            "2019.12.16_12.27.06,7,7,-\n",
            "timestamp,download_mbps,upload_mbps\n",
            "2024-04-19 16:23:00.001039872",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n",
            "Time (ms),Main(mA),Main Voltage(V)\n",
            "\"",
            "(",
            ")",
            "µ",
            "\u{feff}",
        ]);
        prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_text_makes_an_importer_panic(text: String, scraps in scraps()) {
            read(&text);
            read(&scraps);
        }
    }

    #[test]
    fn a_long_line_is_cut_in_its_error() {
        let line = "9".repeat(100_000);
        let error = LinkTrace::from_seconds("x", &format!("{line} 1"), Direction::Down).unwrap_err();
        assert!(error.to_string().len() < 150, "{error}");
    }
}
