//! The lists, maps, entries, iterators and loops of one rendering, by number.
//!
//! Templates can build circles (`$list.add($list)`). With everything in vectors that go away together, circles neither
//! leak nor need counting; a rendering's memory is bounded by its meter, so nothing is freed before its end.

use indexmap::IndexMap;

use crate::value::{Key, StrKey, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListId(u32);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MapId(u32);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PairId(u32);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IterId(u32);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LoopId(u32);

/// How a list prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Made in the template: `[a, b]`.
    Java,
    /// Read from JSON: compact JSON, all the way down.
    Json,
}

/// What is special about a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    Plain,
    /// Headers, whose names have no case (RFC 9110, section 5.1).
    Headers,
    /// A part of `$context`: prints nothing.
    Context,
    /// A part of `$context` in which each member may be set once.
    Override,
}

#[derive(Debug)]
pub(crate) struct List {
    pub(crate) items: Vec<Value>,
    pub(crate) kind: ListKind,
}

#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) entries: IndexMap<Key, Value>,
    pub(crate) kind: MapKind,
}

#[derive(Debug)]
pub(crate) struct Iter {
    pub(crate) items: Vec<Value>,
    pub(crate) next: usize,
}

/// The state of a running `#foreach`, behind `$foreach`.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) index: usize,
    pub(crate) has_next: bool,
    pub(crate) parent: Option<LoopId>,
}

#[derive(Debug, Default)]
pub(crate) struct Heap {
    lists: Vec<List>,
    maps: Vec<Map>,
    pairs: Vec<(Value, Value)>,
    iters: Vec<Iter>,
    loops: Vec<Loop>,
}

impl Map {
    pub(crate) fn get_str(&self, key: &str) -> Option<&Value> {
        let exact = self.entries.get(&StrKey(key));
        if exact.is_some() || self.kind != MapKind::Headers {
            return exact;
        }
        let same = |known: &Key| matches!(&known.0, Value::Str(name) if name.eq_ignore_ascii_case(key));
        self.entries.iter().find(|(known, _)| same(known)).map(|(_, value)| value)
    }
}

impl Heap {
    pub(crate) fn new_list(&mut self, items: Vec<Value>, kind: ListKind) -> Value {
        self.lists.push(List { items, kind });
        Value::List(ListId(self.lists.len() as u32 - 1))
    }

    pub(crate) fn new_map(&mut self, entries: IndexMap<Key, Value>, kind: MapKind) -> MapId {
        self.maps.push(Map { entries, kind });
        MapId(self.maps.len() as u32 - 1)
    }

    pub(crate) fn new_pair(&mut self, key: Value, value: Value) -> Value {
        self.pairs.push((key, value));
        Value::Pair(PairId(self.pairs.len() as u32 - 1))
    }

    pub(crate) fn new_iter(&mut self, items: Vec<Value>) -> Value {
        self.iters.push(Iter { items, next: 0 });
        Value::Iter(IterId(self.iters.len() as u32 - 1))
    }

    pub(crate) fn new_loop(&mut self, parent: Option<LoopId>) -> LoopId {
        self.loops.push(Loop { index: 0, has_next: false, parent });
        LoopId(self.loops.len() as u32 - 1)
    }

    pub(crate) fn list(&self, id: ListId) -> &List {
        &self.lists[id.0 as usize]
    }

    pub(crate) fn list_mut(&mut self, id: ListId) -> &mut List {
        &mut self.lists[id.0 as usize]
    }

    pub(crate) fn map(&self, id: MapId) -> &Map {
        &self.maps[id.0 as usize]
    }

    pub(crate) fn map_mut(&mut self, id: MapId) -> &mut Map {
        &mut self.maps[id.0 as usize]
    }

    pub(crate) fn pair(&self, id: PairId) -> &(Value, Value) {
        &self.pairs[id.0 as usize]
    }

    pub(crate) fn iter_mut(&mut self, id: IterId) -> &mut Iter {
        &mut self.iters[id.0 as usize]
    }

    pub(crate) fn of_loop(&self, id: LoopId) -> &Loop {
        &self.loops[id.0 as usize]
    }

    pub(crate) fn of_loop_mut(&mut self, id: LoopId) -> &mut Loop {
        &mut self.loops[id.0 as usize]
    }
}
