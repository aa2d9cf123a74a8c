//! The dependency policy of `deny.toml`, held to the lock file in a fraction of a second and
//! without the network: versions, licences, sources, and who may use what.
//!
//! Why not cargo-deny itself: building it takes minutes on every fresh machine. It reads the same
//! file (`cargo xtask deny`), and adds the advisories, which need a database from the network.

mod graph;
mod licence;
mod policy;

use std::collections::BTreeMap;

use crate::failure::{Failure, fail};
use graph::{Graph, Package};
use policy::Policy;

/// The registry that every foreign package must come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Workspaces of what is published or flashed. Those of fuzzers, benchmarks and the second module are
/// for tests only and bring their own judges.
pub(crate) const MANIFESTS: [&str; 2] = ["Cargo.toml", "firmware/Cargo.toml"];

/// Reads the dependency graphs and reports every breach of the policy.
pub(crate) fn check() -> Result<(), Failure> {
    let policy = Policy::read()?;
    let (mut breaches, mut graphs) = (Vec::new(), Vec::new());
    for manifest in MANIFESTS {
        let graph = Graph::read(manifest, &policy.targets)?;
        let found = [
            duplicates(&graph, &policy),
            licences(&graph, &policy),
            sources(&graph),
            denied(&graph, &policy),
        ];
        println!("{manifest}: {} packages", graph.packages.len());
        breaches.extend(found.concat());
        graphs.push(graph);
    }
    breaches.extend(idle_skips(&graphs, &policy));
    println!("advisories are not part of this: cargo xtask deny");
    if breaches.is_empty() {
        Ok(())
    } else {
        fail!("deny.toml:\n  {}", breaches.join("\n  "))
    }
}

/// One version of each crate, save those that the policy skips, alone or with their whole tree.
fn duplicates(graph: &Graph, policy: &Policy) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    let wanted = graph.reached_without(&policy.skip_tree);
    for package in graph
        .packages
        .iter()
        .filter(|package| wanted.contains(package.id.as_str()))
    {
        if !policy.skip.contains(&package.spec()) {
            versions.entry(&package.name).or_default().push(package);
        }
    }
    for (name, several) in versions.iter().filter(|(_, several)| several.len() > 1) {
        let held = several.iter().map(|package| {
            format!(
                "{} (used by {})",
                package.version,
                graph.users(package).join(", ")
            )
        });
        breaches.push(format!(
            "{name} at {}",
            held.collect::<Vec<_>>().join(" and ")
        ));
    }
    breaches
}

/// A skip that nothing needs is itself a breach, so the list stays honest.
fn idle_skips(graphs: &[Graph], policy: &Policy) -> Vec<String> {
    let wanted: Vec<_> = graphs
        .iter()
        .map(|graph| (graph, graph.reached_without(&policy.skip_tree)))
        .collect();
    let needed = |skip: &String| {
        wanted.iter().any(|(graph, wanted)| {
            graph.packages.iter().any(|package| {
                let versions = graph
                    .named(&package.name)
                    .filter(|it| wanted.contains(it.id.as_str()));
                package.spec() == *skip && versions.count() > 1
            })
        })
    };
    let idle = policy.skip.iter().filter(|skip| !needed(skip));
    idle.map(|skip| format!("the skip of {skip} is not needed any more"))
        .collect()
}

fn licences(graph: &Graph, policy: &Policy) -> Vec<String> {
    let refused = |package: &&Package| match &package.license {
        Some(expression) => !licence::is_allowed(expression, &policy.licences),
        None => true,
    };
    let breach = |package: &Package| {
        let licence = package.license.as_deref().unwrap_or("none given");
        format!("{}: licence not allowed: {licence}", package.spec())
    };
    graph.packages.iter().filter(refused).map(breach).collect()
}

/// Members of the workspace have no source; all else comes from the one registry.
fn sources(graph: &Graph) -> Vec<String> {
    let foreign = graph.packages.iter().filter_map(|package| {
        let source = package
            .source
            .as_deref()
            .filter(|source| *source != CRATES_IO)?;
        Some(format!(
            "{}: from an unknown source: {source}",
            package.spec()
        ))
    });
    foreign.collect()
}

fn denied(graph: &Graph, policy: &Policy) -> Vec<String> {
    let mut breaches = Vec::new();
    for ban in &policy.denied {
        for package in graph.named(&ban.name) {
            // A wrapper that is shipped may have it for its own tests only.
            let shipped = graph.shipped_users(package);
            let mut users = graph.users(package);
            users.retain(|user| {
                let is_wrapper = ban.wrappers.iter().any(|wrapper| wrapper == user);
                !is_wrapper || shipped.contains(user)
            });
            if ban.wrappers.is_empty() || !users.is_empty() {
                let users = users.join(", ");
                breaches.push(format!(
                    "{} used by {users}: {}",
                    package.spec(),
                    ban.reason
                ));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests;
