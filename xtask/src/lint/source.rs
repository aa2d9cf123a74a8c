//! The modules of a crate and the paths that each of them names, read from the tokens of its files.
//!
//! Tokens, because a path inside a macro call counts as any other. What is under `#[cfg(test)]` is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::failure::{Context, Failure};
use crate::paths;

/// A path from the root of the crate: `a::b` is `["a", "b"]`.
pub(super) type ModulePath = Vec<String>;

/// A crate that was read.
#[derive(Default)]
pub(super) struct Crate {
    /// Each module, the root included, with what it imports: a name, and the path behind it.
    modules: BTreeMap<ModulePath, BTreeMap<String, Vec<String>>>,
    /// Every path that is named, by which module, and where.
    uses: Vec<Use>,
}

struct Use {
    from: ModulePath,
    path: Vec<String>,
    place: Place,
}

/// A line of a file, as one types it at the root of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

/// One module uses another of the same crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) place: Place,
}

impl Crate {
    /// Reads the tree of files below a `lib.rs` or `main.rs`.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut it = Self::default();
        let folder = root.parent().unwrap_or(root).to_path_buf();
        it.read_file(root, folder, Vec::new())?;
        Ok(it)
    }

    /// The children of its root.
    pub(super) fn top_level(&self) -> Vec<&str> {
        let top = self.modules.keys().filter(|path| path.len() == 1);
        top.flatten().map(String::as_str).collect()
    }

    /// Every use of a module that neither contains the user nor lies within it.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let arrows = self.uses.iter().filter_map(|it| {
            let to = self.resolve(&it.from, &it.path, 0)?;
            let apart = !to.starts_with(&it.from) && !it.from.starts_with(&to);
            apart.then(|| Arrow {
                from: it.from.clone(),
                to,
                place: it.place.clone(),
            })
        });
        arrows.collect()
    }

    /// The module that defines what a path means, through imports and re-exports; nothing for other crates.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let mut at = from.to_vec();
        for (index, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name => {
                    at.push(name.to_owned());
                    if self.modules.contains_key(&at) {
                        continue;
                    }
                    at.pop();
                    let import = self.modules.get(&at).and_then(|it| it.get(name));
                    return match import.filter(|_| depth < 8) {
                        Some(import) => {
                            let whole = [import, &path[index + 1..]].concat();
                            self.resolve(&at, &whole, depth + 1)
                        }
                        None if index == 0 => None,
                        None => Some(at),
                    };
                }
            }
        }
        Some(at)
    }

    /// `folder` is where the files of its child modules lie.
    fn read_file(
        &mut self,
        file: &Path,
        folder: PathBuf,
        module: ModulePath,
    ) -> Result<(), Failure> {
        let shown = paths::shown(file);
        let text = fs::read_to_string(file).context(&shown)?;
        let tokens = text.parse().context(&shown)?;
        self.read_module(tokens, &shown, folder, module)
    }

    fn read_module(
        &mut self,
        tokens: TokenStream,
        file: &str,
        folder: PathBuf,
        module: ModulePath,
    ) -> Result<(), Failure> {
        self.modules.entry(module.clone()).or_default();
        let mut reader = Reader {
            krate: self,
            file,
            folder,
            module,
        };
        reader.walk(tokens)
    }
}

/// Reads one module.
struct Reader<'a> {
    krate: &'a mut Crate,
    file: &'a str,
    folder: PathBuf,
    module: ModulePath,
}

impl Reader<'_> {
    fn walk(&mut self, tokens: TokenStream) -> Result<(), Failure> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        while let [token, after @ ..] = rest {
            let taken = match token {
                TokenTree::Group(group) => {
                    self.walk(group.stream())?;
                    0
                }
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_test_only(after) => {
                    item_length(after)
                }
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    // `pub(in crate::a)` uses nothing.
                    "pub" => usize::from(matches!(after, [TokenTree::Group(_), ..])),
                    "mod" => self.child(after)?,
                    "use" => {
                        let end = after.iter().position(|token| is_punct(token, ';'));
                        let tree = &after[..end.unwrap_or(0)];
                        self.import(tree, &[]);
                        tree.len()
                    }
                    "crate" | "self" | "super" => {
                        let (path, length) = path_from(rest);
                        if path.len() > 1 {
                            self.note(token, path);
                        }
                        length - 1
                    }
                    _ => 0,
                },
                _ => 0,
            };
            rest = &after[taken..];
        }
        Ok(())
    }

    /// After `mod`: a file, or a block. Gives how many tokens it took.
    fn child(&mut self, after: &[TokenTree]) -> Result<usize, Failure> {
        let [TokenTree::Ident(name), next, ..] = after else {
            return Ok(0);
        };
        let name = name.to_string();
        let folder = self.folder.join(&name);
        let mut module = self.module.clone();
        module.push(name);
        if let TokenTree::Group(block) = next {
            self.krate
                .read_module(block.stream(), self.file, folder, module)?;
        } else {
            self.krate
                .read_file(&folder.with_extension("rs"), folder, module)?;
        }
        Ok(2)
    }

    /// After `use`: notes each path of the tree, and the name that it is imported by.
    fn import(&mut self, tree: &[TokenTree], before: &[String]) {
        for branch in tree.split(|token| is_punct(token, ',')) {
            let (mut names, length) = path_from(branch);
            // `a::{self}` is `a`.
            names.retain(|name| before.is_empty() || name != "self");
            let path = [before, &names].concat();
            let name = match &branch[length..] {
                [.., TokenTree::Group(group)] => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.import(&inner, &path);
                    continue;
                }
                [_as, TokenTree::Ident(alias)] => alias.to_string(),
                _ => path.last().cloned().unwrap_or_default(),
            };
            if let Some(first) = branch.first() {
                let imports = self.krate.modules.entry(self.module.clone()).or_default();
                imports.insert(name, path.clone());
                self.note(first, path);
            }
        }
    }

    fn note(&mut self, at: &TokenTree, path: Vec<String>) {
        self.krate.uses.push(Use {
            from: self.module.clone(),
            path,
            place: Place {
                file: self.file.to_owned(),
                line: at.span().start().line,
            },
        });
    }
}

/// The names of a path at the start of these tokens, and how many tokens it is.
fn path_from(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let (mut names, mut length) = (Vec::new(), 0);
    while let Some(TokenTree::Ident(name)) = tokens.get(length) {
        names.push(name.to_string());
        length += 1;
        match &tokens[length..] {
            [a, b, TokenTree::Ident(_), ..] if is_punct(a, ':') && is_punct(b, ':') => length += 2,
            _ => break,
        }
    }
    (names, length)
}

/// Whether `[cfg(test)]` or `[cfg(all(test, ..))]` comes next.
fn is_test_only(tokens: &[TokenTree]) -> bool {
    let Some(TokenTree::Group(attribute)) = tokens.first() else {
        return false;
    };
    let text = attribute.stream().to_string().replace(' ', "");
    text.starts_with("cfg(test)") || text.starts_with("cfg(all(test,")
}

/// How many tokens an item has: to its semicolon or its block.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_block = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let end = tokens
        .iter()
        .position(|token| is_punct(token, ';') || is_block(token));
    end.map_or(tokens.len(), |end| end + 1)
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[cfg(test)]
pub(super) fn crate_of(files: &[(&[&str], &str)]) -> Crate {
    let mut krate = Crate::default();
    for (module, text) in files {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        let file = format!("{}.rs", module.join("/"));
        let tokens = text.parse().expect("Rust");
        krate
            .read_module(tokens, &file, PathBuf::new(), module)
            .expect("readable");
    }
    krate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(files: &[(&[&str], &str)]) -> Vec<String> {
        let arrows = crate_of(files).arrows().into_iter();
        let shown = arrows.map(|it| {
            format!(
                "{}>{}:{}",
                it.from.join("."),
                it.to.join("."),
                it.place.line
            )
        });
        shown.collect()
    }

    #[test]
    fn paths_are_found_in_every_form() {
        let b: (&[&str], &str) = (&["b"], "pub struct B; pub mod c { pub fn f() {} }");
        let cases = [
            ("use crate::b::B;", vec!["a>b:1"]),
            (
                "use crate::{\n b::{self, c::{f as g}},\n};",
                vec!["a>b:2", "a>b.c:2"],
            ),
            ("fn x() { crate::b::c::f() }", vec!["a>b.c:1"]),
            ("fn x() {\n println!(\"{}\", crate::b::B) }", vec!["a>b:2"]),
            ("mod own { use super::super::b::B; }", vec!["a.own>b:1"]),
            (
                "use super::b; mod own { fn x() { super::b::c::f() } }",
                vec!["a>b:1", "a.own>b.c:1"],
            ),
            ("use crate::Short;", vec!["a>b:1"]),
            ("use crate::b::*;", vec!["a>b:1"]),
        ];
        for (text, expected) in cases {
            let root: (&[&str], &str) = (&[], "pub use b::B as Short;");
            let found = arrows(&[root, b, (&["a"], text)]);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn tests_visibility_words_and_other_crates_are_no_arrows() {
        for text in [
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(test)] use crate::b::B;",
            "pub(in crate::b) fn x() {}",
            "use std::fs; fn x() { serde::b::B }",
            "/// [`crate::b::B`]\nfn x() { \"crate::b::B\"; }",
            "use crate::Foreign;",
            "mod own; use self::own::X; use own::Y; use crate::a::own::Z;",
        ] {
            let root: (&[&str], &str) = (&[], "pub use serde::Foreign;");
            let text = text.replace("mod own;", "mod own {}");
            let found = arrows(&[root, (&["b"], "pub struct B;"), (&["a"], &text)]);
            assert_eq!(found, Vec::<String>::new(), "{text}");
        }
    }
}
