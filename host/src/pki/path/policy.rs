//! Certificate policies along a path: the graph of RFC 9618, which replaces the tree of RFC 5280 section 6.1 (the
//! same verdicts, without the tree's exponential growth).

use std::collections::{BTreeMap, BTreeSet};

use der::asn1::ObjectIdentifier;

use super::certificate::Extensions;

const ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");

type Policies = BTreeSet<ObjectIdentifier>;

/// What a caller demands of policies (RFC 5280 section 6.1.1 (c) to (g)). By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyInputs {
    /// user-initial-policy-set, by their identifiers; `None` is any-policy.
    pub accepted: Option<Vec<ObjectIdentifier>>,
    /// initial-explicit-policy: the path must be valid for one of the accepted policies.
    pub require_explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any: bool,
}

/// The valid_policy_graph and its three counters.
#[derive(Debug)]
pub(super) struct PolicyState<'p> {
    inputs: &'p PolicyInputs,
    /// One map for each depth, from valid_policy; empty when the graph is NULL.
    graph: Vec<BTreeMap<ObjectIdentifier, Node>>,
    explicit: usize,
    mapping: usize,
    any: usize,
}

#[derive(Clone, Debug)]
struct Node {
    expected: Policies,
    parents: Policies,
}

impl<'p> PolicyState<'p> {
    /// For a path of `len` certificates.
    pub(super) fn new(inputs: &'p PolicyInputs, len: usize) -> Self {
        let limit = |is_now: bool| if is_now { 0 } else { len.saturating_add(1) };
        let root = Node {
            expected: Policies::from([ANY_POLICY]),
            parents: Policies::new(),
        };
        Self {
            inputs,
            graph: vec![BTreeMap::from([(ANY_POLICY, root)])],
            explicit: limit(inputs.require_explicit),
            mapping: limit(inputs.inhibit_mapping),
            any: limit(inputs.inhibit_any),
        }
    }

    /// RFC 5280 section 6.1.3 (d) to (f); whether the path may go on.
    pub(super) fn certificate(&mut self, extensions: &Extensions, may_be_any: bool) -> bool {
        match (&extensions.policies, self.graph.last()) {
            (Some(policies), Some(above)) => {
                let level = next_level(above, policies, self.any > 0 || may_be_any);
                self.graph.push(level);
                self.prune();
            }
            _ => self.graph.clear(),
        }
        self.explicit > 0 || !self.graph.is_empty()
    }

    /// RFC 5280 section 6.1.4 (a), (b), (h) to (j), before the next certificate; whether the path may go on.
    pub(super) fn prepare(&mut self, extensions: &Extensions, is_self_issued: bool) -> bool {
        let mut mappings = BTreeMap::<_, Policies>::new();
        for (from, to) in &extensions.policy_mappings {
            if [from, to].contains(&&ANY_POLICY) {
                return false;
            }
            mappings.entry(*from).or_default().insert(*to);
        }
        if let Some(level) = self.graph.last_mut() {
            for (from, to) in mappings {
                if self.mapping == 0 {
                    level.remove(&from);
                } else if let Some(node) = level.get_mut(&from) {
                    node.expected = to;
                } else if level.contains_key(&ANY_POLICY) {
                    let parents = Policies::from([ANY_POLICY]);
                    level.insert(
                        from,
                        Node {
                            expected: to,
                            parents,
                        },
                    );
                }
            }
            self.prune();
        }
        if !is_self_issued {
            for counter in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *counter = counter.saturating_sub(1);
            }
        }
        let constraints = extensions.policy_constraints.as_ref();
        lower(
            &mut self.explicit,
            constraints.and_then(|it| it.require_explicit_policy),
        );
        lower(
            &mut self.mapping,
            constraints.and_then(|it| it.inhibit_policy_mapping),
        );
        lower(&mut self.any, extensions.inhibit_any_policy);
        true
    }

    /// RFC 5280 section 6.1.5 (a), (b) and (g): the verdict.
    pub(super) fn wrap_up(mut self, extensions: &Extensions) -> bool {
        self.explicit = self.explicit.saturating_sub(1);
        let constraints = extensions.policy_constraints.as_ref();
        if constraints.and_then(|it| it.require_explicit_policy) == Some(0) {
            self.explicit = 0;
        }
        self.explicit > 0 || self.is_for_accepted_policy()
    }

    fn is_for_accepted_policy(&self) -> bool {
        let Some(last) = self.graph.last() else {
            return false;
        };
        let Some(accepted) = &self.inputs.accepted else {
            return true;
        };
        // In the anchor's domain: valid_policy_node_set of RFC 5280 section 6.1.5 (g) (iii).
        let mut nodes = self.graph.iter().flatten();
        let has_accepted = nodes
            .any(|(policy, node)| node.parents.contains(&ANY_POLICY) && accepted.contains(policy));
        has_accepted || (last.contains_key(&ANY_POLICY) && !accepted.is_empty())
    }

    /// Takes away nodes without children, from below.
    fn prune(&mut self) {
        let mut levels = self.graph.iter_mut().rev();
        let Some(mut below) = levels.next() else {
            return;
        };
        for level in levels {
            let parents: Policies = below
                .values()
                .flat_map(|node| node.parents.iter().copied())
                .collect();
            level.retain(|policy, _| parents.contains(policy));
            below = level;
        }
        if self.graph.iter().any(BTreeMap::is_empty) {
            self.graph.clear();
        }
    }
}

/// RFC 5280 section 6.1.3 (d) (1) and (2).
fn next_level(
    above: &BTreeMap<ObjectIdentifier, Node>,
    policies: &[ObjectIdentifier],
    with_any: bool,
) -> BTreeMap<ObjectIdentifier, Node> {
    let mut expecting = BTreeMap::<ObjectIdentifier, Policies>::new();
    for (parent, node) in above {
        for expected in &node.expected {
            expecting.entry(*expected).or_default().insert(*parent);
        }
    }
    let node = |policy: ObjectIdentifier, parents: Policies| {
        let expected = Policies::from([policy]);
        (policy, Node { expected, parents })
    };
    let mut level = BTreeMap::new();
    for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
        if let Some(parents) = expecting.get(policy) {
            level.extend([node(*policy, parents.clone())]);
        } else if above.contains_key(&ANY_POLICY) {
            level.extend([node(*policy, Policies::from([ANY_POLICY]))]);
        }
    }
    if with_any && policies.contains(&ANY_POLICY) {
        for (policy, parents) in expecting {
            level
                .entry(policy)
                .or_insert_with(|| node(policy, parents).1);
        }
    }
    level
}

fn lower(counter: &mut usize, limit: Option<u32>) {
    if let Some(limit) = limit {
        *counter = (*counter).min(usize::try_from(limit).unwrap_or(usize::MAX));
    }
}
