use super::*;

/// What an image without fault prints, with one text replaced by another.
fn broken(from: &str, to: &str) -> Vec<String> {
    let of_size = |bits: u64| {
        let signature = move |number: usize| {
            let (key, message) = (number / 4, number % 4);
            let found = "instructions=10000000 stack=3800 left=0 genuine=1";
            format!("signature bits={bits} key={key} message={message} {found}")
        };
        let import = move |key: usize| {
            format!("other bits={bits} key={key} name=import instructions=5 stack=3700")
        };
        let kept = move |key: usize| {
            format!(
                "kept bits={bits} key={key} name=round instructions=7\n\
                 planted bits={bits} key={key} depth=5700 left=0 genuine=1"
            )
        };
        let generated =
            move |seed: usize| format!("generated bits={bits} seed={seed} instructions=600000000");
        let signatures = (0..16).map(signature);
        let keys = (0..3).flat_map(move |key| [import(key), kept(key), generated(key)]);
        let redrawn = (0..if bits == 2048 { 2 } else { 0 }).map(move |key| {
            let counts = "instructions=20000000 stack=3800 others=10000000 rest=64";
            format!("redrawn bits={bits} key={key} name=redrawn {counts}")
        });
        signatures.chain(keys).chain(redrawn)
    };
    let lines: Vec<String> = ["kernels umaal", "agreement rounds=50 agree=1"]
        .map(str::to_owned)
        .into_iter()
        .chain([2048, 3072, 4096].into_iter().flat_map(of_size))
        .chain(["done".to_owned()])
        .collect();
    let text = lines.join("\n");
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    Report::read(Kernels::Umaal, &text)
        .expect("complete")
        .broken_rules()
}

#[test]
fn an_image_without_fault_breaks_no_rule() {
    assert_eq!(broken("done", "done"), Vec::<String>::new());
}

#[test]
fn each_fault_is_found() {
    let cases = [
        (
            "instructions=10000000",
            "instructions=10000001",
            "signatures differ",
        ),
        (
            "key=2 name=import instructions=5",
            "key=2 name=import instructions=6",
            "import differs",
        ),
        ("rest=64", "rest=63", "not 64 alike"),
        ("genuine=1", "genuine=0", "not the judge's"),
        ("left=0", "left=1", "left on the stack"),
        ("stack=3800", "stack=5121", "limit 5120"),
        ("stack=3700", "stack=5121", "limit 5120"),
        ("depth=5700", "depth=6145", "limit 6144"),
        (
            "name=round instructions=7",
            "name=round instructions=8",
            "round differs",
        ),
        (
            "depth=5700 left=0",
            "depth=5700 left=1",
            "left on the stack",
        ),
        (
            "depth=5700 left=0 genuine=1",
            "depth=5700 left=0 genuine=0",
            "generation: not",
        ),
        ("planted bits=3072", "nothing bits=3072", "2 planted keys"),
        (
            "instructions=600000000",
            "instructions=600000003",
            "limit 600000000",
        ),
        (
            "signature bits=4096 key=1",
            "signature bits=512 key=1",
            "15 signatures",
        ),
        ("agree=1", "agree=0", "does not agree"),
        ("agreement rounds", "nothing rounds", "does not agree"),
        (
            "signature bits=2048 key=1",
            "nothing bits=2048 key=1",
            "15 signatures",
        ),
        (
            "instructions=10000000",
            "instructions=10100001",
            "limit 10100000",
        ),
        ("instructions=10000000", "instructions=none", "differ"),
    ];
    for (from, to, expected) in cases {
        let rules = broken(from, to).join("\n");
        assert!(rules.contains(expected), "{to}: {rules}");
    }
}

#[test]
fn an_image_that_stops_early_is_a_failure() {
    assert!(Report::read(Kernels::Portable, "kernels portable\nhard fault\n").is_err());
    assert!(Report::read(Kernels::Portable, "kernels umaal\ndone\n").is_err());
}
