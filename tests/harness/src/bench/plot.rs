//! The same numbers as pictures.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::subject::Kind;
use super::table::{LOADS, Results};

const SIZE: (u32, u32) = (960, 420);
const SHADES: [RGBColor; 3] = [
    RGBColor(158, 202, 225),
    RGBColor(66, 146, 198),
    RGBColor(8, 69, 148),
];

/// Draws both pictures into a folder.
///
/// # Errors
/// The folder cannot be written to.
pub fn draw(results: &Results, folder: &Path) -> Result<()> {
    let kinds = results.kinds();
    let loads = LOADS.map(|load| format!("{load} in flight"));
    let rates = |kind: Kind| LOADS.map(|load| results.rate(kind, load));
    bars(
        &folder.join("throughput.svg"),
        "Messages answered a second (logarithmic)",
        &kinds,
        &loads,
        rates,
    )?;
    let quantiles = ["p50", "p99", "p99.9"].map(str::to_owned);
    for load in LOADS {
        let latencies =
            |kind: Kind| [0.5, 0.99, 0.999].map(|at| results.latency_ms(kind, load, at));
        bars(
            &folder.join(format!("latency-{load}.svg")),
            &format!("Milliseconds from push to reply, {load} in flight (logarithmic)"),
            &kinds,
            &quantiles,
            latencies,
        )?;
    }
    Ok(())
}

/// Three bars for each subject, on a logarithmic scale.
fn bars(
    path: &Path,
    title: &str,
    kinds: &[Kind],
    names: &[String; 3],
    values: impl Fn(Kind) -> [f64; 3],
) -> Result<()> {
    let bad = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", path.display());
    let all: Vec<f64> = kinds.iter().flat_map(|kind| values(*kind)).collect();
    let positive = || all.iter().copied().filter(|value| *value > 0.0);
    let least = positive().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        return Ok(());
    }
    let (low, high) = (least / 2.0, positive().fold(0.0, f64::max) * 1.5);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(|e| bad(&e))?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..kinds.len() as f64, (low..high).log_scale())
        .map_err(|e| bad(&e))?;
    let label = |x: &f64| {
        // A label stands in the middle of its subject's bars.
        let kind = kinds
            .get(*x as usize)
            .filter(|_| (x.fract() - 0.5).abs() < 0.1);
        kind.map_or_else(String::new, |kind| kind.name().to_owned())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .x_labels(kinds.len() * 2 + 1)
        .x_label_formatter(&label)
        .y_label_formatter(&|y| format!("{y}"))
        .draw()
        .map_err(|e| bad(&e))?;
    for (place, (name, shade)) in names.iter().zip(SHADES).enumerate() {
        let bar = |(index, kind): (usize, &Kind)| {
            let value = values(*kind).get(place).copied().unwrap_or(0.0).max(low);
            let left = index as f64 + 0.15 + 0.24 * place as f64;
            Rectangle::new([(left, low), (left + 0.22, value)], shade.filled())
        };
        chart
            .draw_series(kinds.iter().enumerate().map(bar))
            .map_err(|e| bad(&e))?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 10, y + 4)], shade.filled()));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .position(SeriesLabelPosition::UpperRight)
        .draw()
        .map_err(|e| bad(&e))?;
    root.present().map_err(|e| bad(&e))
}
