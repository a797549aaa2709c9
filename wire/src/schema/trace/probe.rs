//! A deserializer that has nothing to read: it makes values up and writes down what it was asked for.

use std::any::type_name;
use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::{DEPTH, Definition, STEPS, Tracer, Variant};

/// Builds one value.
pub(super) struct Probe<'t> {
    tracer: &'t mut Tracer,
    /// Whether this value is written down, or only has to exist.
    writes: bool,
}

/// Why a value could not be built.
#[derive(Debug)]
pub(super) enum Stuck {
    /// The way taken does not end.
    Deep,
    /// The type wants other values, or another format.
    Refused,
}

/// The parts of a compound value, one after the other.
struct Parts<'t> {
    probe: Probe<'t>,
    names: Names,
    next: usize,
}

#[derive(Clone, Copy)]
enum Names {
    Given(&'static [&'static str]),
    Counted(usize),
}

impl<'t> Probe<'t> {
    pub(super) fn new(tracer: &'t mut Tracer) -> Self {
        Self { tracer, writes: true }
    }

    fn again(&mut self) -> Probe<'_> {
        Probe { tracer: self.tracer, writes: self.writes }
    }

    fn write(&mut self, text: &str) {
        if self.writes {
            self.tracer.text.push_str(text);
        }
    }

    fn descend<T>(&mut self, build: impl FnOnce(Probe<'_>) -> Result<T, Stuck>) -> Result<T, Stuck> {
        self.tracer.steps += 1;
        if self.tracer.steps > STEPS {
            return Err(Stuck::Refused);
        }
        self.tracer.depth += 1;
        if self.tracer.depth > DEPTH {
            return Err(Stuck::Deep);
        }
        let built = build(self.again())?;
        self.tracer.depth -= 1;
        Ok(built)
    }

    fn parts<'de, V: Visitor<'de>>(&mut self, names: Names, visitor: V) -> Result<V::Value, Stuck> {
        self.descend(|probe| visitor.visit_seq(Parts { probe, names, next: 0 }))
    }

    /// Something of which there may be any number.
    fn any_number(&self) -> Names {
        Names::Counted(usize::from(self.writes))
    }

    /// Refers to a type; says whether this is the place to describe it.
    fn refer<T>(&mut self, name: &'static str) -> (usize, bool) {
        let number = self.tracer.number_of((type_name::<T>(), name));
        self.write(&format!("#{number}"));
        let describes = self.writes && !self.tracer.definitions[number].met;
        self.tracer.definitions[number].met |= describes;
        (number, describes)
    }

    /// Builds a part that is written down apart from what surrounds it.
    fn apart<T>(&mut self, build: impl FnOnce(&mut Self) -> Result<T, Stuck>) -> Result<(T, String), Stuck> {
        let outer = std::mem::take(&mut self.tracer.text);
        let built = build(self)?;
        Ok((built, std::mem::replace(&mut self.tracer.text, outer)))
    }

    fn structure<'de, V: Visitor<'de>>(
        mut self,
        name: &'static str,
        names: Names,
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        let (number, describes) = self.refer::<V::Value>(name);
        if !describes {
            self.writes = false;
            return self.parts(names, visitor);
        }
        let (value, fields) = self.apart(|probe| probe.parts(names, visitor))?;
        self.tracer.definitions[number].fields = fields;
        Ok(value)
    }

    fn choice<'de, V: Visitor<'de>>(
        mut self,
        name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        let (number, describes) = self.refer::<V::Value>(name);
        let definition = &mut self.tracer.definitions[number];
        if definition.variants.is_empty() {
            let unknown = |name: &&'static str| Variant { name, fields: String::new(), done: false };
            definition.variants = names.iter().map(unknown).collect();
        }
        let undone = definition.variants.iter().position(|variant| !variant.done);
        let Some(index) = undone.filter(|_| describes) else {
            definition.left = true;
            let way_out = definition.way_out;
            self.writes = false;
            return self.descend(|probe| visitor.visit_enum(Entered { probe, index: way_out }));
        };
        let incomplete_before = std::mem::take(&mut self.tracer.incomplete);
        let build = |probe: Probe<'_>| visitor.visit_enum(Entered { probe, index });
        let (value, fields) = self.apart(|probe| probe.descend(build))?;
        let done = !self.tracer.incomplete;
        let Definition { variants, .. } = &mut self.tracer.definitions[number];
        variants[index].fields = fields;
        variants[index].done = done;
        let undone = variants.iter().any(|variant| !variant.done);
        self.tracer.incomplete = incomplete_before || undone;
        Ok(value)
    }
}

macro_rules! leaves {
    ($($method:ident $visit:ident $value:expr, $name:literal;)*) => {
        $(
            fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stuck> {
                self.write($name);
                visitor.$visit($value)
            }
        )*
    };
}

macro_rules! refused {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stuck> {
                Err(Stuck::Refused)
            }
        )*
    };
}

impl<'de> de::Deserializer<'de> for Probe<'_> {
    type Error = Stuck;

    // One and not zero, which more types refuse.
    leaves! {
        deserialize_bool visit_bool false, "bool";
        deserialize_u8 visit_u8 1, "u8";
        deserialize_u16 visit_u16 1, "u16";
        deserialize_u32 visit_u32 1, "u32";
        deserialize_u64 visit_u64 1, "u64";
        deserialize_u128 visit_u128 1, "u128";
        deserialize_i8 visit_i8 1, "i8";
        deserialize_i16 visit_i16 1, "i16";
        deserialize_i32 visit_i32 1, "i32";
        deserialize_i64 visit_i64 1, "i64";
        deserialize_i128 visit_i128 1, "i128";
        deserialize_f32 visit_f32 1.0, "f32";
        deserialize_f64 visit_f64 1.0, "f64";
        deserialize_char visit_char 'a', "char";
        deserialize_str visit_borrowed_str "", "text";
        deserialize_string visit_borrowed_str "", "text";
        deserialize_bytes visit_borrowed_bytes b"", "bytes";
        deserialize_byte_buf visit_borrowed_bytes b"", "bytes";
    }

    refused!(deserialize_any deserialize_identifier deserialize_ignored_any);

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stuck> {
        if !self.writes {
            return visitor.visit_none();
        }
        self.write("option<");
        let value = self.descend(|probe| visitor.visit_some(probe))?;
        self.write(">");
        Ok(value)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stuck> {
        self.write("unit");
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.structure(name, Names::Counted(1), visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stuck> {
        self.write("sequence<");
        let value = self.parts(self.any_number(), visitor)?;
        self.write(">");
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value, Stuck> {
        self.write("(");
        let value = self.parts(Names::Counted(length), visitor)?;
        self.write(")");
        Ok(value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.structure(name, Names::Counted(length), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stuck> {
        self.write("map<");
        let names = self.any_number();
        let value = self.descend(|probe| visitor.visit_map(Parts { probe, names, next: 0 }))?;
        self.write(">");
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.structure(name, Names::Given(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.choice(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_> {
    type Error = Stuck;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stuck> {
        let name = match self.names {
            Names::Given(names) => names.get(self.next).map(|name| format!("{name:?}:")),
            Names::Counted(count) => (self.next < count).then(String::new),
        };
        let Some(name) = name else { return Ok(None) };
        self.next += 1;
        self.probe.write(&name);
        let value = seed.deserialize(self.probe.again())?;
        self.probe.write(",");
        Ok(Some(value))
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_> {
    type Error = Stuck;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stuck> {
        de::SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stuck> {
        seed.deserialize(self.probe.again())
    }
}

/// A variant that is entered.
struct Entered<'t> {
    probe: Probe<'t>,
    index: usize,
}

impl<'de, 't> de::EnumAccess<'de> for Entered<'t> {
    type Error = Stuck;
    type Variant = Probe<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Probe<'t>), Stuck> {
        let index = u32::try_from(self.index).map_err(|_| Stuck::Refused)?;
        let variant = seed.deserialize(IntoDeserializer::<Stuck>::into_deserializer(index))?;
        Ok((variant, self.probe))
    }
}

impl<'de> de::VariantAccess<'de> for Probe<'_> {
    type Error = Stuck;

    fn unit_variant(self) -> Result<(), Stuck> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Stuck> {
        self.descend(|probe| seed.deserialize(probe))
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value, Stuck> {
        self.parts(Names::Counted(length), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stuck> {
        self.parts(Names::Given(fields), visitor)
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deep => "the made-up value does not end",
            Self::Refused => "the type refuses made-up values",
        })
    }
}

impl std::error::Error for Stuck {}

impl de::Error for Stuck {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::Refused
    }
}
