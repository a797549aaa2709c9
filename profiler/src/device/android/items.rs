//! The items of a power profile by name, with their lines.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

use crate::device::ProfileError;

/// Such files have a few kilobytes.
const MOST_BYTES: usize = 256 << 10;
const MOST_NODES: u32 = 20_000;
/// Values of one item.
const MOST_VALUES: usize = 64;
/// Milliamperes, millivolts and kilohertz stay below it.
const MOST: f64 = 1e8;

pub(super) struct Items<'a> {
    file: &'a str,
    device: String,
    items: BTreeMap<String, Item<'a>>,
}

/// One value, or those of a list; read when asked for, since items that no profile needs may be anything.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    file: &'a str,
    line: u32,
    name: String,
    values: Vec<String>,
}

impl<'a> Items<'a> {
    pub(super) fn read(file: &'a str, text: &str) -> Result<Self, ProfileError> {
        if text.len() > MOST_BYTES {
            let file = file.to_owned();
            return Err(ProfileError::TooLarge { file, bytes: text.len(), most: MOST_BYTES });
        }
        let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options)
            .map_err(|error| ProfileError::Xml { file: file.to_owned(), message: error.to_string() })?;
        let root = document.root_element();
        let mut items = BTreeMap::new();
        for node in root.children().filter(Node::is_element) {
            let Some(name) = node.attribute("name") else { continue };
            let line = document.text_pos_at(node.range().start).row;
            let text = |node: Node<'_, '_>| node.text().unwrap_or_default().trim().to_owned();
            let values = match node.tag_name().name() {
                "item" => vec![text(node)],
                "array" => node.children().filter(|value| value.has_tag_name("value")).map(text).collect(),
                _ => continue,
            };
            items.insert(name.to_owned(), Item { file, line, name: name.to_owned(), values });
        }
        let device = root.attribute("name").unwrap_or("Android").to_owned();
        Ok(Self { file, device, items })
    }

    pub(super) fn file(&self) -> &str {
        self.file
    }

    /// What the file calls its device; most say `Android`.
    pub(super) fn device(&self) -> &str {
        &self.device
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.items.contains_key(name)
    }

    pub(super) fn required(&self, name: &str) -> Result<&Item<'a>, ProfileError> {
        let missing = || ProfileError::Missing { file: self.file.to_owned(), key: name.to_owned() };
        self.items.get(name).ok_or_else(missing)
    }

    /// The value of an item that has one.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ProfileError> {
        let Some(item) = self.items.get(name) else { return Ok(None) };
        match item.numbers()?.as_slice() {
            [number] => Ok(Some(*number)),
            _ => Err(item.bad("one number")),
        }
    }
}

impl Item<'_> {
    /// All values; at least one.
    pub(super) fn numbers(&self) -> Result<Vec<f64>, ProfileError> {
        if self.values.is_empty() || self.values.len() > MOST_VALUES {
            return Err(self.bad("a list of 1 to 64 values"));
        }
        let number = |text: &String| text.parse().ok().filter(|number| (0.0..=MOST).contains(number));
        let numbers: Option<Vec<f64>> = self.values.iter().map(number).collect();
        numbers.ok_or_else(|| self.bad("made of numbers from 0 to 100000000"))
    }

    pub(super) fn bad(&self, expected: &str) -> ProfileError {
        ProfileError::BadItem {
            file: self.file.to_owned(),
            line: self.line,
            item: self.name.clone(),
            expected: expected.to_owned(),
        }
    }
}
