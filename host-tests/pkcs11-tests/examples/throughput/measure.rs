//! Takes turns and counts.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// One turn. Short, so that both sides see the same machine; long beside starting threads.
const TURN: Duration = Duration::from_millis(100);

/// Turns of each side.
const TURNS: usize = 60;

/// Whatever went wrong.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Something that can be done again and again, in one thread.
pub(crate) type Work<'a> = Box<dyn FnMut() -> Result<(), Failure> + 'a>;

/// Makes the work of one thread.
pub(crate) type Worker<'a> = dyn Fn() -> Result<Work<'a>, Failure> + Sync + 'a;

/// What was measured.
#[derive(Default)]
pub(crate) struct Rate {
    latencies: Vec<Duration>,
    busy: Duration,
    cpu: Duration,
}

impl Rate {
    pub(crate) fn per_second(&self) -> f64 {
        let count = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.busy.as_secs_f64()
    }

    /// Processor time of one, in microseconds: what it costs, whatever else the machine does. Zero where
    /// the system does not tell (Linux does).
    pub(crate) fn cpu_micros(&self) -> f64 {
        let count = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        self.cpu.as_secs_f64() * 1e6 / f64::from(count)
    }

    /// A percentile of the latencies, in microseconds.
    pub(crate) fn micros(&self, percent: usize) -> u128 {
        let place = self.latencies.len().saturating_sub(1) * percent / 100;
        self.latencies.get(place).map_or(0, Duration::as_micros)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.busy += other.busy;
        self.cpu += other.cpu;
    }
}

/// Two kinds of work, measured in turns.
#[derive(Default)]
pub(crate) struct Compared {
    pub(crate) one: Rate,
    pub(crate) other: Rate,
    /// Of each pair of turns: the rate of the other by that of the one, and the same of the processor
    /// time of one signature, the other way round.
    ratios: [Vec<f64>; 2],
}

impl Compared {
    /// The median of the pairs' ratios of rates. A machine that is slower for a second is slower for
    /// both of a pair; a pair that was disturbed does not move the median.
    pub(crate) fn ratio(&self) -> f64 {
        median(&self.ratios[0])
    }

    /// The median of the pairs' ratios of processor time.
    pub(crate) fn cpu_ratio(&self) -> f64 {
        median(&self.ratios[1])
    }

    fn add(&mut self, one: Rate, other: Rate) {
        self.ratios[0].push(other.per_second() / one.per_second());
        self.ratios[1].push(one.cpu_micros() / other.cpu_micros());
        self.one.add(one);
        self.other.add(other);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Measures two kinds of work in turns; who begins changes with each turn. The first turn of each warms up.
pub(crate) fn turns(
    threads: usize,
    one: &Worker<'_>,
    other: &Worker<'_>,
) -> Result<Compared, Failure> {
    let mut compared = Compared::default();
    for number in 0..=TURNS {
        let (a, b) = if number % 2 == 0 {
            let a = turn(threads, one)?;
            (a, turn(threads, other)?)
        } else {
            let b = turn(threads, other)?;
            (turn(threads, one)?, b)
        };
        if number > 0 {
            compared.add(a, b);
        }
    }
    Ok(compared)
}

/// One kind of work, for one turn.
pub(crate) fn turn(threads: usize, worker: &Worker<'_>) -> Result<Rate, Failure> {
    let start = Barrier::new(threads);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let run = || {
            let work = worker();
            start.wait();
            repeat(work?)
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err("a thread panicked".into()))
            })
            .collect()
    });
    let mut rate = Rate::default();
    for outcome in outcomes {
        let other = outcome?;
        rate.latencies.extend(other.latencies);
        rate.busy = rate.busy.max(other.busy);
        rate.cpu += other.cpu;
    }
    Ok(rate)
}

/// For one turn; the first time is not counted: it may open a session.
fn repeat(mut work: Work<'_>) -> Result<Rate, Failure> {
    work()?;
    let mut latencies = Vec::with_capacity(8192);
    let (begin, cpu) = (Instant::now(), cpu_time());
    let mut last = begin;
    while last - begin < TURN {
        work()?;
        let now = Instant::now();
        latencies.push(now - last);
        last = now;
    }
    Ok(Rate {
        latencies,
        busy: last - begin,
        cpu: cpu_time().saturating_sub(cpu),
    })
}

/// Processor time of this thread so far.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
