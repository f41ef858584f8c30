//! YAML that someone else wrote: read within bounds, into no more than what is looked at.
//!
//! A kilobyte of YAML can mean gigabytes: an alias stands for all that its anchor holds, and may hold aliases itself. So
//! what is read is paid for out of a budget, and reading ends where that is used up.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What a file may cost: its scalars' bytes, and something for each node.
const BUDGET: usize = 8 << 20;
/// Most brackets that are open at once, and most lists that begin on one line.
const DEEPEST: usize = 200;
/// What a node costs beside its text.
const NODE: usize = 32;

/// A value. Maps keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    Null,
    /// Text, numbers and booleans, as text.
    Scalar(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads one document.
    ///
    /// # Errors
    /// What is wrong, with its line where the parser knows it.
    pub fn read(text: &str) -> Result<Yaml, String> {
        if is_too_deep(text) {
            return Err("it is nested too deeply".into());
        }
        let left = Cell::new(BUDGET);
        Node(&left).deserialize(serde_norway::Deserializer::from_str(text)).map_err(|e| e.to_string())
    }

    /// What a map has under `key`; `Null` where it is no map or has nothing there.
    pub fn get(&self, key: &str) -> &Yaml {
        self.entries().iter().find(|(k, _)| k == key).map_or(&Yaml::Null, |(_, v)| v)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(String, Yaml)] {
        if let Yaml::Map(entries) = self { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Yaml] {
        if let Yaml::List(items) = self { items } else { &[] }
    }

    /// A scalar's text.
    pub fn text(&self) -> Option<&str> {
        if let Yaml::Scalar(text) = self { Some(text) } else { None }
    }

    pub fn is_null(&self) -> bool {
        *self == Yaml::Null
    }
}

/// Whether more lies within each other than any honest file has: the parser takes time by the square of it. Brackets in
/// texts count, too, so the limit is far from what one means.
fn is_too_deep(text: &str) -> bool {
    let mut open = 0usize;
    let brackets = text.bytes().any(|b| {
        match b {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    });
    // Lists and keys that begin on one line: `- - - x`, `? ? x`.
    brackets
        || text.lines().any(|line| line.split_whitespace().take_while(|w| matches!(*w, "-" | "?")).count() > DEEPEST)
}

/// Reads a value out of a budget.
#[derive(Clone, Copy)]
struct Node<'a>(&'a Cell<usize>);

impl Node<'_> {
    fn pay<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(NODE + bytes);
        self.0.set(left.ok_or_else(|| E::custom("its aliases stand for more than may be read"))?);
        Ok(())
    }

    fn scalar<E: Error>(self, text: impl Into<String>) -> Result<Yaml, E> {
        let text = text.into();
        self.pay(text.len())?;
        Ok(Yaml::Scalar(text))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Yaml;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Yaml, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain YAML without tags")
    }

    fn visit_unit<E: Error>(self) -> Result<Yaml, E> {
        self.pay(0)?;
        Ok(Yaml::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Yaml, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Yaml, D::Error> {
        self.deserialize(d)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_i128<E: Error>(self, v: i128) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_u128<E: Error>(self, v: u128) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Yaml, E> {
        self.scalar(v.to_string())
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Yaml, E> {
        self.scalar(v)
    }

    fn visit_string<E: Error>(self, v: String) -> Result<Yaml, E> {
        self.scalar(v)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Yaml, A::Error> {
        self.pay(0)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        self.pay(0)?;
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        let mut known = HashSet::new();
        let mut merged = Vec::new();
        while let Some(key) = map.next_key_seed(self)? {
            let Yaml::Scalar(key) = key else { return Err(A::Error::custom("a key must be text")) };
            let value = map.next_value_seed(self)?;
            if key == "<<" {
                merged.push(value);
            } else if !known.insert(key.clone()) {
                return Err(A::Error::custom(format!("`{key}` stands twice")));
            } else {
                entries.push((key, value));
            }
        }
        // Merge keys (yaml.org/type/merge.html): what stands in the map itself wins, then what comes first.
        for value in merged {
            let maps = if let Yaml::List(maps) = value { maps } else { vec![value] };
            for (key, value) in maps.into_iter().flat_map(|m| if let Yaml::Map(m) = m { m } else { Vec::new() }) {
                if known.insert(key.clone()) {
                    entries.push((key, value));
                }
            }
        }
        Ok(Yaml::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_anchors_and_merges() {
        let text =
            "x-common: &c {restart: always, image: a}\nservices:\n  b: {<<: *c, image: b}\n  a: [1, true, ~, x]\n";
        let yaml = Yaml::read(text).unwrap();
        let services = yaml.get("services");
        assert_eq!(services.entries().iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(services.get("b").get("image").text(), Some("b"));
        assert_eq!(services.get("b").get("restart").text(), Some("always"));
        let texts: Vec<_> = services.get("a").items().iter().map(Yaml::text).collect();
        assert_eq!(texts, [Some("1"), Some("true"), None, Some("x")]);
    }

    #[test]
    fn a_bomb_is_put_out() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let alias = format!("*a{},", n - 1).repeat(10);
            text.push_str(&format!("a{n}: &a{n} [{alias}]\n"));
        }
        assert!(Yaml::read(&text).is_err());
        // Few aliases of a long text cost as much as many of a short one.
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a,".repeat(100));
        assert!(Yaml::read(&long).unwrap_err().contains("aliases"));
        // What a parser may take long for.
        let begun = std::time::Instant::now();
        for (piece, most) in
            [("[", 1 << 20), ("{", 1 << 20), ("{a: ", 1 << 18), ("- ", 1 << 19), ("? ", 1 << 19), ("[a, ", 1 << 18)]
        {
            assert!(Yaml::read(&piece.repeat(most)).is_err(), "{piece}");
        }
        let keys: String = (0..100_000).map(|n| format!("k{n}:\n")).collect();
        assert_eq!(Yaml::read(&keys).unwrap().entries().len(), 100_000);
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_no_single_plain_document_is_refused() {
        for text in ["a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: [", "a: !reset b\n", "? [a]\n: b\n"] {
            assert!(Yaml::read(text).is_err(), "{text}");
        }
    }
}
