//! Things with short names: a name is a place and the generation of what lies there, so that news about something that is
//! gone is never taken for news about its successor. Sans-IO.

/// The name of a thing in a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    place: u32,
    generation: u32,
}

/// Generations are taken modulo this, so that a key fits into 56 bits.
const GENERATIONS: u32 = 1 << 24;

impl Key {
    /// The key as a number below 2^56.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.place)
    }

    /// The key that [`Self::to_bits`] made the number of.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { place: bits as u32, generation: (bits >> 32) as u32 % GENERATIONS }
    }
}

/// Things by key.
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

struct Place<T> {
    generation: u32,
    thing: Option<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Adds what `make` makes for the key.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, thing: None });
            (self.places.len() - 1) as u32
        });
        let Some(slot) = self.places.get_mut(place as usize) else {
            // A free place is a place; without one the thing would have a name that finds nothing.
            return Key { place, generation: GENERATIONS };
        };
        let key = Key { place, generation: slot.generation };
        slot.thing = Some(make(key));
        key
    }

    pub(crate) fn lookup(&self, key: Key) -> Option<&T> {
        let slot = self.places.get(key.place as usize)?;
        slot.thing.as_ref().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn lookup_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.places.get_mut(key.place as usize)?;
        slot.thing.as_mut().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.places.get_mut(key.place as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let thing = slot.thing.take()?;
        slot.generation = (slot.generation + 1) % GENERATIONS;
        self.free.push(key.place);
        Some(thing)
    }

    /// All things with their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().enumerate().filter_map(|(place, slot)| {
            let key = Key { place: place as u32, generation: slot.generation };
            slot.thing.as_ref().map(|thing| (key, thing))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Slab};

    #[test]
    fn a_successor_has_another_key() {
        let mut slab = Slab::default();
        let first = slab.insert_with(|_| "first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert_with(|_| "second");
        assert_ne!(first, second);
        assert_eq!(slab.lookup(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.lookup(Key::from_bits(second.to_bits())), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }
}
