//! DER as a tree, so that what is changed in it is DER again: a fuzzer that changes bytes mostly breaks lengths.

/// One element.
#[derive(Clone, Debug)]
pub struct Node {
    pub tag: u8,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    /// Of a constructed element, or of an OCTET STRING that holds DER.
    Nodes(Vec<Node>),
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    pub kind: u8,
    pub a: u8,
    pub b: u8,
}

impl Node {
    /// The elements that stand one after the other.
    pub fn read_all(mut der: &[u8]) -> Option<Vec<Self>> {
        let mut nodes = Vec::new();
        while let [tag, len, rest @ ..] = der {
            let (len, rest) = match (len, rest) {
                (0..=0x7f, rest) => (usize::from(*len), rest),
                (0x81, [len, rest @ ..]) => (usize::from(*len), rest),
                (0x82, [high, low, rest @ ..]) => {
                    (usize::from(u16::from_be_bytes([*high, *low])), rest)
                }
                _ => return None,
            };
            let (bytes, after) = rest.split_at_checked(len)?;
            let is_outer = tag & 0x20 != 0 || (*tag == 0x04 && !bytes.is_empty());
            let nodes_in_it = is_outer.then(|| Self::read_all(bytes)).flatten();
            nodes.push(Self {
                tag: *tag,
                content: nodes_in_it.map_or_else(|| Content::Bytes(bytes.to_vec()), Content::Nodes),
            });
            der = after;
        }
        der.is_empty().then_some(nodes)
    }

    /// The one element that this is.
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut nodes = Self::read_all(der)?;
        (nodes.len() == 1).then(|| nodes.remove(0))
    }

    pub fn to_der(&self) -> Vec<u8> {
        let content = match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Nodes(nodes) => nodes.iter().flat_map(Self::to_der).collect(),
        };
        let mut der = vec![self.tag];
        match content.len() {
            len @ 0..=0x7f => der.push(len as u8),
            len @ 0x80..=0xff => der.extend([0x81, len as u8]),
            len => der.extend([0x82, (len >> 8) as u8, len as u8]),
        }
        der.extend(content);
        der
    }

    pub fn nodes(&self) -> &[Self] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            Content::Bytes(_) => &[],
        }
    }

    pub fn nodes_mut(&mut self) -> &mut [Self] {
        match &mut self.content {
            Content::Nodes(nodes) => nodes,
            Content::Bytes(_) => &mut [],
        }
    }

    /// The element that is met as the `n`th, an outer one before what it holds.
    pub fn nth(&self, n: &mut usize) -> Option<&Self> {
        if *n == 0 {
            return Some(self);
        }
        *n -= 1;
        self.nodes().iter().find_map(|node| node.nth(n))
    }

    /// Changes the `n`th element below this one; `other` may take its place.
    pub fn edit(&mut self, n: &mut usize, edit: Edit, other: Option<&Self>) -> bool {
        let Content::Nodes(nodes) = &mut self.content else {
            return false;
        };
        for place in 0..nodes.len() {
            if *n == 0 {
                change(nodes, place, edit, other);
                return true;
            }
            *n -= 1;
            if nodes[place].edit(n, edit, other) {
                return true;
            }
        }
        false
    }
}

fn change(nodes: &mut Vec<Node>, place: usize, Edit { kind, a, b }: Edit, other: Option<&Node>) {
    let node = &mut nodes[place];
    match (kind % 8, &mut node.content) {
        (0, Content::Bytes(bytes)) if !bytes.is_empty() => {
            let at = usize::from(a) % bytes.len();
            bytes[at] = b;
        }
        (1, Content::Bytes(bytes)) => bytes.truncate(usize::from(a)),
        (2, Content::Bytes(bytes)) => bytes.insert(usize::from(a) % (bytes.len() + 1), b),
        (3, _) => node.tag = b,
        (4, _) => drop(nodes.remove(place)),
        (5, _) => nodes.insert(place, nodes[place].clone()),
        (6, _) => {
            if let Some(other) = other {
                nodes[place] = other.clone();
            }
        }
        (7, _) => {
            if let Some(other) = other {
                nodes.insert(place, other.clone());
            }
        }
        _ => {}
    }
}
