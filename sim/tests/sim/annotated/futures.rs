//! Async methods in virtual time.

use outboard_sim::block_on;

use super::*;

#[derive(State, Default, Debug, PartialEq)]
struct Crawler {
    seen: Vec<u64>,
}

#[remoteable]
impl Crawler {
    async fn crawl(&mut self, from: u64) -> u64 {
        for step in 0..4 {
            let page = self.fetch(from + step).await;
            self.seen.push(page);
        }
        self.seen.len() as u64
    }

    #[outboard::device]
    async fn fetch(&self, page: u64) -> u64 {
        page * 2
    }
}

fn crawling() -> Crawler {
    let mut crawler = Crawler::default();
    for round in 0..10 {
        block_on(crawler.crawl(round * 10));
        pass(ms(300));
    }
    crawler
}

fn simulation(way: Link) -> Simulation {
    Simulation::new()
        .server(ServerModel::of_speed(10.0), way)
        .cost(method!(Crawler::crawl), ms(600))
        .cost(method!(Crawler::fetch), ms(5))
}

#[test]
fn async_methods_go_to_a_server_and_call_back() {
    let outcome = simulation(link(ms(4), 100)).run(crawling).expect("it runs");
    let device = simulation(link(ms(4), 100)).policy(Policy::Device).run(crawling).expect("it runs");
    assert_eq!(outcome.value, device.value);
    assert_eq!(device.elapsed, (ms(620) + ms(300)) * 10);
    assert!(outcome.counts(method!(Crawler::crawl)).1 >= 5, "{outcome}");
    assert!(outcome.elapsed < device.elapsed * 3 / 4, "{outcome}");
}

#[test]
fn an_async_call_is_given_up_at_its_bound() {
    use outboard_core::Timestamp;
    use outboard_sim::Fault;
    let silent = ServerModel::of_speed(10.0).with_faults([(Timestamp::ZERO + ms(4_000), Fault::Silent)]);
    let outcome = Simulation::new()
        .server(silent, link(ms(4), 100))
        .cost(method!(Crawler::crawl), ms(600))
        .cost(method!(Crawler::fetch), ms(5))
        .run(crawling)
        .expect("it runs");
    assert_eq!(outcome.value.seen.len(), 40);
    assert!(outcome.outer_calls().any(|call| call.in_vain), "{outcome}");
    assert!(outcome.worst().is_some_and(|worst| worst.took <= ms(620) * 14 / 10 + ms(10)), "{outcome}");
}
