//! A history as a picture: use, the limit in force, the proposed limit, and kills.

use plotters::prelude::*;

use crate::size::Curve;
use crate::units::Bytes;

/// Width and height in points.
const SIZE: (u32, u32) = (900, 320);

/// Seconds of a day and an hour.
const DAY: f64 = crate::units::DAY as f64;

/// A curve as an SVG picture; none where nothing was measured.
pub fn svg(curve: &Curve) -> Option<String> {
    let top = curve.top();
    if top == 0 {
        return None;
    }
    let mut out = String::new();
    draw(curve, top, &mut out).ok()?;
    Some(out)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "labels lie inside of what is drawn, which comes from u64"
)]
fn draw(curve: &Curve, top: u64, out: &mut String) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let area = SVGBackend::with_string(out, SIZE).into_drawing_area();
    let draw = || -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        area.fill(&WHITE)?;
        let span = (curve.to - curve.from).max(1) as f64;
        let at = |index: usize| (index as f64 + 0.5) / curve.used.len() as f64 * span;
        let mut chart = ChartBuilder::on(&area)
            .caption(&curve.title, ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(28)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..span, 0.0..top as f64 * 1.08)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(WHITE)
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|seconds| moment(curve, *seconds, span))
            .y_label_formatter(&|bytes| Bytes(bytes.max(0.0) as u64).to_string())
            .draw()?;
        for stretch in stretches(&curve.used) {
            let points = stretch.iter().map(|(index, used)| (at(*index), *used as f64));
            chart.draw_series(AreaSeries::new(points.clone(), 0.0, BLUE.mix(0.15)))?;
            chart.draw_series(LineSeries::new(points, &BLUE))?;
        }
        for stretch in stretches(&curve.limit) {
            chart
                .draw_series(LineSeries::new(stretch.iter().map(|(index, limit)| (at(*index), *limit as f64)), &RED))?;
        }
        if let Some(proposed) = curve.proposed {
            let line = [(0.0, proposed as f64), (span, proposed as f64)];
            chart.draw_series(DashedLineSeries::new(line, 6, 4, ShapeStyle::from(&GREEN_DARK).stroke_width(2)))?;
        }
        let height = |kill: usize| curve.limit[kill].or(curve.used[kill]).unwrap_or(top) as f64;
        chart.draw_series(
            curve.kills.iter().map(|kill| Cross::new((at(*kill), height(*kill)), 5, RED.stroke_width(2))),
        )?;
        area.present()
    };
    draw()
}

/// The proposal's colour, readable on white.
const GREEN_DARK: RGBColor = RGBColor(0, 128, 64);

/// Runs of values without a hole.
fn stretches(values: &[Option<u64>]) -> Vec<Vec<(usize, u64)>> {
    let mut all: Vec<Vec<(usize, u64)>> = vec![Vec::new()];
    for (index, value) in values.iter().enumerate() {
        match (value, all.last_mut()) {
            (Some(value), Some(last)) => last.push((index, *value)),
            (None, Some(last)) if !last.is_empty() => all.push(Vec::new()),
            _ => {}
        }
    }
    all.retain(|stretch| !stretch.is_empty());
    all
}

/// The label of a moment: a date where the clock has dates, else the time since the start.
#[expect(clippy::cast_possible_truncation, reason = "labels lie inside of the span, which comes from i64")]
fn moment(curve: &Curve, seconds: f64, span: f64) -> String {
    let date =
        curve.dated.then(|| jiff::Timestamp::from_second(curve.from.saturating_add(seconds as i64)).ok()).flatten();
    match date {
        Some(date) if span > 2.0 * DAY => date.strftime("%m-%d").to_string(),
        Some(date) => date.strftime("%H:%M:%S").to_string(),
        None if span > 2.0 * DAY => format!("{:.0} d", seconds / DAY),
        None => format!("{seconds:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_use_limits_and_kills() {
        let curve = Curve {
            title: "shop/cart <b>".into(),
            from: 1_700_000_000,
            to: 1_700_600_000,
            dated: true,
            used: vec![Some(5 << 20), None, Some(9 << 20), Some(8 << 20)],
            limit: vec![Some(10 << 20); 4],
            kills: vec![2],
            proposed: Some(12 << 20),
        };
        let svg = svg(&curve).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert!(svg.contains("shop/cart &lt;b&gt;") && svg.contains("MiB"), "{svg}");
        assert!(super::svg(&Curve::default()).is_none());
    }
}
