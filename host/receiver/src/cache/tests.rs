use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const LONG: Duration = Duration::from_secs(3600);

fn counted(
    calls: &Arc<AtomicUsize>,
    outcome: Result<usize, &'static str>,
) -> impl Fn() -> Result<usize, &'static str> + Clone + Send + 'static {
    let calls = Arc::clone(calls);
    move || {
        thread::sleep(Duration::from_millis(20));
        let call = calls.fetch_add(1, Ordering::SeqCst);
        outcome.map(|offset| offset + call)
    }
}

fn cache(refresh_after: Duration, limit: Duration) -> Cache<usize, &'static str> {
    cache_of(
        CachePolicy::default()
            .wait(LONG)
            .refresh_after(refresh_after)
            .limit(limit),
    )
}

fn cache_of(policy: CachePolicy) -> Cache<usize, &'static str> {
    Cache::new(policy, Room::new(policy.max_waiting), |_| true)
}

#[test]
fn one_request_serves_all_who_wait() {
    let calls = Arc::<AtomicUsize>::default();
    let cache = cache(LONG, LONG);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| cache.get("a", &[0; 32], Instant::now(), counted(&calls, Ok(1))));
        }
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn what_is_known_is_used_while_it_is_got_again() {
    let (calls, cache) = (Arc::default(), cache(Duration::ZERO, LONG));
    let get = || cache.get("a", &[0; 32], Instant::now(), counted(&calls, Ok(0)));
    // The second is given at once, and what is got in the background comes later.
    assert_eq!((get(), get()), (Ok(0), Ok(0)));
    let began = Instant::now();
    while get() == Ok(0) {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
}

#[test]
fn what_is_older_than_its_life_is_asked_for_first_and_used_where_nobody_answers() {
    let calls = Arc::default();
    let policy = CachePolicy::default()
        .wait(LONG)
        .refresh_after(Duration::ZERO)
        .limit(LONG);
    let cache = cache_of(policy.life(Duration::ZERO).patience(LONG));
    let get = |outcome| cache.get("a", &[0; 32], Instant::now(), counted(&calls, outcome));
    assert_eq!((get(Ok(0)), get(Ok(0))), (Ok(0), Ok(1)));
    assert_eq!(get(Err("away")), Ok(1));
    // One that is silent counts as away, and holds up nobody for long.
    let cache = cache_of(
        policy
            .life(Duration::ZERO)
            .patience(Duration::from_millis(10)),
    );
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    assert_eq!(cache.get("a", &[0; 32], Instant::now(), || Ok(7)), Ok(7));
    let silent = move || {
        let _ = released.lock().unwrap().recv();
        Ok(8)
    };
    for _ in 0..100 {
        assert_eq!(
            cache.get("a", &[0; 32], Instant::now(), silent.clone()),
            Ok(7)
        );
    }
    drop(release);
}

/// Whoever waits, for whichever value: the server is the same.
#[test]
fn a_server_that_does_not_answer_is_waited_for_once_and_again_when_it_does() {
    let policy = CachePolicy::default().wait(LONG).patience(LONG);
    let policy = policy.refresh_after(Duration::ZERO).life(Duration::ZERO);
    let (list, mut parties) = (cache_of(policy), cache_of(policy));
    parties.is_away = Arc::clone(&list.is_away);
    let calls = Arc::default();
    let get = |cache: &Cache<usize, &'static str>, name, outcome| {
        cache.get(name, &[0; 32], Instant::now(), counted(&calls, outcome))
    };
    assert_eq!(get(&list, "", Ok(0)), Ok(0));
    assert_eq!(get(&parties, "a", Ok(0)), Ok(1));
    assert_eq!(get(&parties, "b", Ok(0)), Ok(2));
    assert_eq!(get(&list, "", Err("away")), Ok(0));
    // It hangs as long as who waits would.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let hangs = move || {
        let _ = released.lock().unwrap().recv();
        Ok(7)
    };
    let ask = |name| parties.get(name, &[0; 32], Instant::now(), hangs.clone());
    assert_eq!((ask("a"), ask("b")), (Ok(1), Ok(2)));
    assert!(list.is_away.load(Ordering::SeqCst));
    drop(release);
    let began = Instant::now();
    while list.is_away.load(Ordering::SeqCst) || get(&parties, "a", Ok(0)).unwrap() < 7 {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
    let newer = get(&parties, "b", Ok(100)).unwrap();
    assert!(newer >= 100, "{newer}");
}

#[test]
fn a_question_whose_time_is_over_waits_no_more() {
    let policy = CachePolicy::default()
        .wait(LONG)
        .patience(Duration::from_millis(10));
    let cache = cache_of(policy.refresh_after(Duration::ZERO).life(Duration::ZERO));
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let begun = Instant::now();
    assert_eq!(cache.get("a", &[0; 32], begun, || Ok(7)), Ok(7));
    thread::sleep(Duration::from_millis(20));
    let silent = move || {
        let _ = released.lock().unwrap().recv();
        Ok(8)
    };
    let get = |begun| cache.get("a", &[0; 32], begun, silent.clone());
    assert_eq!(get(begun), Ok(7));
    assert!(!cache.is_away.load(Ordering::SeqCst), "it waited");
    drop(release);
}

#[test]
fn a_registry_that_is_away_stops_nothing_before_the_limit_and_everything_after_it() {
    let calls = Arc::default();
    for (limit, expected) in [(LONG, Ok(7)), (Duration::ZERO, Err("away".to_owned()))] {
        let cache = cache(Duration::ZERO, limit);
        let get = |outcome| cache.get("a", &[0; 32], Instant::now(), counted(&calls, outcome));
        get(Ok(7)).unwrap();
        calls.store(0, Ordering::SeqCst);
        assert_eq!(get(Err("away")).map(|_| 7), expected);
    }
}

#[test]
fn a_bad_answer_is_kept_for_a_short_time() {
    for (negative, second) in [(LONG, Ok(0)), (Duration::ZERO, Ok(1))] {
        let calls = Arc::default();
        let policy = CachePolicy::default().wait(LONG).negative(negative);
        let cache = Cache::new(policy, Room::new(1), |_| false);
        let get = || cache.get("a", &[0; 32], Instant::now(), counted(&calls, Ok(0)));
        assert_eq!((get(), get()), (Ok(0), second));
    }
}

#[test]
fn a_load_that_panics_keeps_nobody_waiting() {
    let cache = cache_of(CachePolicy::default().wait(LONG));
    let load = || -> Result<usize, &'static str> { panic!("on purpose") };
    assert_eq!(
        cache.get("a", &[0; 32], Instant::now(), load),
        Err("it has not answered in time".to_owned())
    );
    assert_eq!(cache.get("a", &[0; 32], Instant::now(), || Ok(1)), Ok(1));
}

#[test]
fn bad_answers_take_the_place_of_parties_no_longer_than_they_are_used() {
    let policy = CachePolicy::default().wait(LONG).negative(Duration::ZERO);
    let policy = policy.max_parties(2);
    let cache = Cache::new(policy, Room::new(1), |value| *value > 0);
    let get = |name, value| cache.get(name, &[0; 32], Instant::now(), move || Ok::<_, &str>(value));
    for (name, value) in [("a", 0), ("b", 0), ("good", 1), ("c", 0), ("better", 1)] {
        assert_eq!(get(name, value), Ok(value));
    }
    // Where all places are in use, one more is asked for each time.
    assert_eq!(get("third", 1), Ok(1));
    let known = ["good", "better", "third"].map(|name| get(name, 2));
    assert_eq!(known, [Ok(1), Ok(1), Ok(2)]);
}

/// Neither while there is no value, nor while there is one.
#[test]
fn a_registry_that_is_away_is_not_asked_again_by_every_caller() {
    for known in [false, true] {
        let cache = cache(Duration::ZERO, LONG);
        if known {
            assert_eq!(cache.get("a", &[0; 32], Instant::now(), || Ok(7)), Ok(7));
        }
        let calls = Arc::<AtomicUsize>::default();
        for _ in 0..1000 {
            let calls = Arc::clone(&calls);
            let away = move || {
                calls.fetch_add(1, Ordering::SeqCst);
                Err("away")
            };
            let _ = cache.get("a", &[0; 32], Instant::now(), away);
        }
        let asked = calls.load(Ordering::SeqCst);
        assert!(asked < 100, "{asked}");
    }
}

#[test]
fn who_waits_in_vain_is_not_told_of_an_older_failure() {
    let cache = cache_of(CachePolicy::default().wait(Duration::from_millis(10)));
    let get =
        |load: fn() -> Result<usize, &'static str>| cache.get("a", &[0; 32], Instant::now(), load);
    let hangs = || {
        thread::park();
        Ok(1)
    };
    // Within a moment nobody asks again.
    let began = Instant::now();
    get(|| Err("away")).unwrap_err();
    while get(hangs) != Err("it has not answered in time".to_owned()) {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
}

/// Its place is taken until it answers or is given up, so that there is a bounded number of such requests.
#[test]
fn who_is_not_known_waits_a_short_time_for_a_registry_that_hangs() {
    let policy = CachePolicy::default().wait(Duration::from_millis(10));
    let cache = Cache::new(policy, Room::new(1), |_| true);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let load = move || {
        let _ = released.lock().unwrap().recv();
        Ok::<_, &str>(7)
    };
    let get = |name| cache.get(name, &[0; 32], Instant::now(), load.clone());
    assert_eq!(get("a"), Err("it has not answered in time".to_owned()));
    assert_eq!(get("b"), Err("too many wait for it".to_owned()));
    drop(release);
    let began = Instant::now();
    // What came late is there, and the place is free.
    while cache.get("a", &[0; 32], Instant::now(), || Ok(8)) != Ok(7) || get("b") != Ok(7) {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
}
