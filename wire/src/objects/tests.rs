use std::collections::BTreeMap;

use bytes::Bytes;
use outboard_core::ByteCount;
use proptest::prelude::*;

use super::*;
use crate::schema::SchemaBuilder;
use crate::shared::Shared;

const ANY: ByteCount = ByteCount::from_bytes(u64::MAX);
const DEPTH: u16 = 64;

/// What a call or a reply carries.
#[derive(Clone, Debug, Default)]
struct Sent {
    slots: Vec<Vec<u8>>,
    objects: Option<Vec<u8>>,
}

impl Sent {
    fn objects(&self) -> Option<Bytes> {
        self.objects.clone().map(Bytes::from)
    }

    fn size(&self) -> usize {
        self.slots.iter().map(Vec::len).sum::<usize>() + self.objects.as_ref().map_or(0, Vec::len)
    }
}

fn write<T: State>(mut objects: ObjectWriter, slots: &[T]) -> Result<(Sent, Objects), EncodeError> {
    let mut sent = Sent::default();
    for slot in slots {
        let mut out = Encoder::new().with_objects(objects);
        slot.encode(&mut out)?;
        objects = out.take_objects();
        sent.slots.push(out.into_bytes());
    }
    let (image, known) = objects.finish(ANY)?;
    sent.objects = image;
    Ok((sent, known))
}

fn read<T: State>(mut objects: ObjectReader, sent: &Sent) -> Result<(Vec<T>, Objects, Staged), DecodeError> {
    let mut slots = Vec::new();
    for slot in &sent.slots {
        let mut input = Decoder::new(slot, DEPTH).with_objects(&mut objects);
        slots.push(T::decode(&mut input)?);
        input.finish()?;
    }
    let (known, staged) = objects.finish()?;
    Ok((slots, known, staged))
}

fn call<T: State>(slots: &[T]) -> Result<(Sent, Objects), EncodeError> {
    write(ObjectWriter::call(), slots)
}

fn arrive<T: State>(sent: &Sent) -> Result<(Vec<T>, Objects), DecodeError> {
    let (slots, known, _) = read(ObjectReader::call(sent.objects(), DEPTH)?, sent)?;
    Ok((slots, known))
}

fn reply<T: State>(known: &Objects, slots: &[T]) -> Result<Sent, EncodeError> {
    write(ObjectWriter::reply(known), slots).map(|(sent, _)| sent)
}

fn stage<T: State>(known: &Objects, sent: &Sent) -> Result<(Vec<T>, Staged), DecodeError> {
    let (slots, _, staged) = read(ObjectReader::reply(sent.objects(), known.clone(), DEPTH)?, sent)?;
    Ok((slots, staged))
}

/// A value that leads to others.
#[derive(Debug, Default)]
struct Node {
    value: u32,
    edges: Vec<Shared<Node>>,
}

impl State for Node {
    fn schema(schema: &mut SchemaBuilder) {
        schema.structure::<Self>(|schema| {
            schema.field("value", u32::schema);
            schema.field("edges", Vec::<Shared<Self>>::schema);
        });
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.value.encode(out)?;
        self.edges.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { value: u32::decode(input)?, edges: Vec::decode(input)? })
    }
}

fn node(value: u32, edges: &[&Shared<Node>]) -> Shared<Node> {
    Shared::new(Node { value, edges: edges.iter().map(|edge| (*edge).clone()).collect() })
}

/// Whether two graphs have the same shape, sharing included, and the same values. Fills in which node is which.
fn same(here: &Shared<Node>, there: &Shared<Node>, pairs: &mut BTreeMap<usize, usize>) -> bool {
    let (from, to) = (here.0.address(), there.0.address());
    if let Some(known) = pairs.get(&from) {
        return *known == to;
    }
    if pairs.values().any(|known| *known == to) {
        return false;
    }
    pairs.insert(from, to);
    let (here, there) = (here.lock(), there.lock());
    here.value == there.value
        && here.edges.len() == there.edges.len()
        && here.edges.iter().zip(&there.edges).all(|(here, there)| same(here, there, pairs))
}

/// Nodes by their values and the earlier nodes that they lead to.
type Plan = Vec<(u32, Vec<prop::sample::Index>)>;

fn build(plan: &Plan) -> Vec<Shared<Node>> {
    let mut nodes: Vec<Shared<Node>> = Vec::new();
    for (value, edges) in plan {
        let edges = edges.iter().filter(|_| !nodes.is_empty()).map(|edge| edge.get(&nodes).clone()).collect();
        nodes.push(Shared::new(Node { value: *value, edges }));
    }
    nodes
}

/// What a method does: gives a node another value, and leads it to an earlier node, or by a new one to that.
type Changes = Vec<(prop::sample::Index, u32, prop::sample::Index, bool)>;

fn change(nodes: &[Option<Shared<Node>>], changes: &Changes) {
    for (target, value, edge, by_new) in changes {
        let target = target.index(nodes.len());
        let Some(node) = &nodes[target] else { continue };
        let mut node = node.lock();
        node.value = *value;
        let earlier = (target > 0).then(|| edge.index(target)).and_then(|edge| nodes[edge].clone());
        let edge = if *by_new {
            Some(Shared::new(Node { value: *value, edges: earlier.into_iter().collect() }))
        } else {
            earlier
        };
        node.edges.truncate(2);
        node.edges.extend(edge);
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    prop::collection::vec((any::<u32>(), prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..12)
}

proptest! {
    #[test]
    fn a_call_gives_the_same_as_if_it_ran_here(
        plan in plan(), roots in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        changes in prop::collection::vec(any::<(prop::sample::Index, u32, prop::sample::Index, bool)>(), 0..6),
    ) {
        let (here, plain) = (build(&plan), build(&plan));
        let roots_of = |nodes: &[Shared<Node>]| roots.iter().map(|root| root.get(nodes).clone()).collect::<Vec<_>>();
        let (slots, expected) = (roots_of(&here), roots_of(&plain));

        let (sent, known) = call(&slots).unwrap();
        let (there, known_there) = arrive::<Shared<Node>>(&sent).unwrap();
        let mut pairs = BTreeMap::new();
        prop_assert!(slots.iter().zip(&there).all(|(here, there)| same(here, there, &mut pairs)));

        // The server's method, and the same on the plain program.
        let reached = reach(&there);
        let counterpart = |node: &Shared<Node>| reached.get(pairs.get(&node.0.address())?).cloned();
        let arena: Vec<_> = here.iter().map(counterpart).collect();
        change(&arena, &changes);
        let plain_arena = arena.iter().zip(&plain).map(|(there, plain)| there.as_ref().map(|_| plain.clone()));
        change(&plain_arena.collect::<Vec<_>>(), &changes);

        let answer = reply(&known_there, &there).unwrap();
        let (results, mut staged) = stage::<Shared<Node>>(&known, &answer).unwrap();
        let mut untouched = BTreeMap::new();
        prop_assert!(here.iter().zip(&build(&plan)).all(|(here, plain)| same(here, plain, &mut untouched)));
        prop_assert_eq!(staged.commit(), Ok(()));
        let mut pairs = BTreeMap::new();
        prop_assert!(slots.iter().zip(&expected).all(|(here, plain)| same(here, plain, &mut pairs)));
        prop_assert!(results.iter().zip(&slots).all(|(result, slot)| result.ptr_eq(slot)));
        for (there, (here, plain)) in arena.iter().zip(here.iter().zip(&plain)) {
            if there.is_some() {
                prop_assert!(same(here, plain, &mut pairs), "in its own allocation");
            }
        }
    }

    #[test]
    fn what_a_hostile_peer_sends_is_an_error_or_a_value(
        slot in prop::collection::vec(0u8..4, 0..12), image in prop::collection::vec(0u8..4, 0..60),
        garble in any::<prop::sample::Index>(), with: u8, plan in plan(),
    ) {
        let hostile = Sent { slots: vec![slot], objects: Some(image) };
        drop(arrive::<Shared<Node>>(&hostile));
        let (mut sent, known) = call(&[build(&plan).last().unwrap().clone()]).unwrap();
        let bytes = sent.objects.as_mut().unwrap();
        let at = garble.index(bytes.len());
        bytes[at] = with;
        drop(arrive::<Shared<Node>>(&sent));
        if let Ok((_, mut staged)) = stage::<Shared<Node>>(&known, &sent) {
            prop_assert_eq!(staged.commit(), Ok(()));
        }
    }
}

/// Every node that the roots lead to, by where it is.
fn reach(roots: &[Shared<Node>]) -> BTreeMap<usize, Shared<Node>> {
    let mut reached = BTreeMap::new();
    let mut todo = roots.to_vec();
    while let Some(node) = todo.pop() {
        if reached.insert(node.0.address(), node.clone()).is_none() {
            todo.extend(node.lock().edges.iter().cloned());
        }
    }
    reached
}

#[test]
fn what_is_reached_twice_is_written_once() {
    let photo = Shared::new(vec![7u8; 1000]);
    let (sent, _) = call(&[vec![photo.clone(), photo.clone()], vec![photo.clone()]]).unwrap();
    assert!(sent.size() < 1100, "{}", sent.size());
    let (there, _) = arrive::<Vec<Shared<Vec<u8>>>>(&sent).unwrap();
    assert!(there[0][0].ptr_eq(&there[0][1]) && there[0][0].ptr_eq(&there[1][0]));
    assert_eq!(*there[1][0].lock(), *photo.lock());
}

#[test]
fn what_was_not_changed_does_not_come_back() {
    let photos = [Shared::new(vec![7u8; 1000]), Shared::new(vec![8; 1000])];
    let (sent, known) = call(&photos).unwrap();
    let (there, known_there) = arrive::<Shared<Vec<u8>>>(&sent).unwrap();
    assert_eq!(there[0].lock().len(), 1000);
    assert!(known_there.are_unchanged());
    let answer = reply(&known_there, &[(); 0]).unwrap();
    assert_eq!(answer.size(), 0);
    there[1].lock().truncate(3);
    assert!(!known_there.are_unchanged());
    let answer = reply(&known_there, &[(); 0]).unwrap();
    assert!(answer.size() < 50, "{}", answer.size());
    let (_, mut staged) = stage::<()>(&known, &answer).unwrap();
    assert_eq!(staged.commit(), Ok(()));
    assert_eq!((photos[0].lock().len(), photos[1].lock().len()), (1000, 3));
}

#[test]
fn a_circle_and_a_locked_object_do_not_travel() {
    let first = node(1, &[]);
    let second = node(2, &[&first]);
    first.lock().edges.push(second.clone());
    assert_eq!(call(std::slice::from_ref(&second)).err(), Some(EncodeError::Cycle));
    first.lock().edges.clear();
    assert!(call(std::slice::from_ref(&second)).is_ok());
    let held = first.lock();
    assert_eq!(call(&[second]).err(), Some(EncodeError::Locked));
    drop(held);
}

#[test]
fn outside_a_call_there_is_nowhere_to_write_it() {
    assert_eq!(node(1, &[]).encode(&mut Encoder::new()), Err(EncodeError::NoObjects));
    let read = Shared::<Node>::decode(&mut Decoder::new(&[0; 4], DEPTH));
    assert_eq!(read.err(), Some(DecodeError::NoObjects));
}

#[test]
fn contents_count_against_the_budget_and_the_depth() {
    let budget = ByteCount::from_bytes(100);
    let mut out = Encoder::with_budget(budget).with_objects(ObjectWriter::call());
    assert_eq!(Shared::new(vec![0u8; 80]).encode(&mut out), Ok(()));
    let second = Shared::new(vec![0u8; 80]).encode(&mut out);
    assert!(matches!(second, Err(EncodeError::OverBudget { .. })), "{second:?}");
    let long = (0..100).fold(node(0, &[]), |next, value| node(value, &[&next]));
    assert_eq!(call(&[long]).err(), Some(EncodeError::TooDeep));
}

#[test]
fn what_changed_or_is_locked_meanwhile_is_a_conflict_and_nothing_is_touched() {
    let nodes = [node(1, &[]), node(2, &[])];
    let (sent, known) = call(&nodes).unwrap();
    let (there, known_there) = arrive::<Shared<Node>>(&sent).unwrap();
    there[0].lock().value = 10;
    let answer = reply(&known_there, &there).unwrap();
    let (_, mut staged) = stage::<Shared<Node>>(&known, &answer).unwrap();
    let held = nodes[1].lock();
    assert_eq!(staged.commit(), Err(Conflict::Locked));
    drop(held);
    nodes[1].lock().value = 20;
    assert_eq!(staged.commit(), Err(Conflict::Changed));
    assert_eq!(nodes[0].lock().value, 1);
}

#[test]
fn a_commit_is_a_change_for_other_calls_with_the_same_objects() {
    let nodes = [node(1, &[])];
    let (sent, known) = call(&nodes).unwrap();
    let (there, known_there) = arrive::<Shared<Node>>(&sent).unwrap();
    there[0].lock().value += 1;
    let answer = reply(&known_there, &there).unwrap();
    let (_, mut first) = stage::<Shared<Node>>(&known, &answer).unwrap();
    let (_, mut second) = stage::<Shared<Node>>(&known, &answer).unwrap();
    assert_eq!((first.commit(), second.commit()), (Ok(()), Err(Conflict::Changed)));
    assert_eq!(nodes[0].lock().value, 2);
}

#[test]
fn comparing_looks_at_which_object_it_is() {
    let (one, other) = (node(1, &[]), node(1, &[]));
    let compared =
        |node: &Shared<Node>| write(ObjectWriter::comparing(), std::slice::from_ref(node)).unwrap().0.slots;
    let before = compared(&one);
    one.lock().value = 2;
    assert_eq!(compared(&one), before);
    assert_ne!(compared(&other), before);
}

mod hostile {
    //! References and contents that do not fit together.

    use super::*;

    fn image(objects: &[&[u8]]) -> Option<Vec<u8>> {
        let mut image = (objects.len() as u64).to_le_bytes().to_vec();
        for object in objects {
            image.push(WHOLE);
            image.extend((object.len() as u64).to_le_bytes());
            image.extend_from_slice(object);
        }
        Some(image)
    }

    fn error<T: State>(slots: &[&[u8]], objects: Option<Vec<u8>>) -> DecodeError {
        let sent = Sent { slots: slots.iter().map(|slot| slot.to_vec()).collect(), objects };
        arrive::<T>(&sent).err().expect("it is refused")
    }

    /// A node with one edge, as it is encoded.
    fn edge(to: u32) -> Vec<u8> {
        [&[0; 4][..], &1u64.to_le_bytes(), &to.to_le_bytes()].concat()
    }

    #[test]
    fn a_number_without_an_object_and_an_object_without_a_number() {
        assert_eq!(error::<Shared<u8>>(&[&[1, 0, 0, 0]], image(&[&[5]])), DecodeError::UnknownObject(1));
        assert_eq!(error::<Shared<u8>>(&[&[0; 4]], None), DecodeError::UnknownObject(0));
        assert_eq!(error::<Shared<u8>>(&[&[0; 4]], image(&[&[5], &[6]])), DecodeError::UnusedObject(1));
        let as_it_was = Some([&1u64.to_le_bytes()[..], &[AS_IT_WAS]].concat());
        assert_eq!(error::<Shared<u8>>(&[&[0; 4]], as_it_was), DecodeError::UnknownObject(0));
    }

    #[test]
    fn an_object_within_itself() {
        assert_eq!(error::<Shared<Node>>(&[&[0; 4]], image(&[&edge(0)])), DecodeError::Cycle);
        assert_eq!(error::<Shared<Node>>(&[&[0; 4]], image(&[&edge(1), &edge(0)])), DecodeError::Cycle);
    }

    #[test]
    fn one_object_of_two_types() {
        let found = error::<(Shared<u8>, Shared<i8>)>(&[&[0; 8]], image(&[&[5]]));
        assert_eq!(found, DecodeError::ObjectType { number: 0, expected: "i8" });
    }

    #[test]
    fn more_or_less_than_a_value() {
        assert_eq!(error::<Shared<u8>>(&[&[0; 4]], image(&[&[5, 6]])), DecodeError::Trailing { left: 1 });
        let short = error::<Shared<u8>>(&[&[0; 4]], image(&[&[]]));
        assert!(matches!(short, DecodeError::Truncated { .. }), "{short}");
        let mut long = image(&[&[5]]).unwrap();
        long.push(0);
        assert_eq!(error::<Shared<u8>>(&[&[0; 4]], Some(long)), DecodeError::Trailing { left: 1 });
    }

    #[test]
    fn a_long_chain() {
        let chain: Vec<_> = (1..=1000).map(edge).collect();
        let chain: Vec<_> = chain.iter().map(Vec::as_slice).collect();
        assert_eq!(error::<Shared<Node>>(&[&[0; 4]], image(&chain)), DecodeError::TooDeep);
    }

    #[test]
    fn memory_that_all_objects_claim_together() {
        // Each claims 15 million nothings, which one alone may.
        let claim = (15u64 << 20).to_le_bytes();
        let references: Vec<u8> = (0..4u32).flat_map(u32::to_le_bytes).collect();
        let found = error::<[Shared<Vec<()>>; 4]>(&[&references], image(&[claim.as_slice(); 4]));
        assert!(matches!(found, DecodeError::TooLarge { .. }), "{found}");
    }

    #[test]
    fn fewer_objects_than_went() {
        let (_, known) = call(&[node(1, &[]), node(2, &[])]).unwrap();
        let sent = Sent { slots: vec![], objects: image(&[&[]]) };
        let found = stage::<()>(&known, &sent).err();
        assert_eq!(found, Some(DecodeError::Objects { expected: 2, found: 1 }));
    }

    #[test]
    fn one_of_several_that_is_garbled_fails_them_all() {
        let nodes = [Shared::new(1u8), Shared::new(2)];
        let (_, known) = call(&nodes).unwrap();
        let sent = Sent { slots: vec![], objects: image(&[&[10], &[20, 0]]) };
        assert_eq!(stage::<()>(&known, &sent).err(), Some(DecodeError::Trailing { left: 1 }));
        assert_eq!((*nodes[0].lock(), *nodes[1].lock()), (1, 2));
    }
}
