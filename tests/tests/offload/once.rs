//! What may run only once, within what is run again: it is found, and does not run again.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use outboard::{CallError, State, device, remoteable};
use outboard_tests::Edge;

/// What was paid, by whom: the effects that must not be repeated. Each test pays under a name of its own.
static PAID: Mutex<BTreeMap<String, Vec<u32>>> = Mutex::new(BTreeMap::new());
static CHANGED: Condvar = Condvar::new();
/// Longest wait for another thread: a guard against hanging, not a measure.
const GUARD: Duration = Duration::from_secs(60);

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

fn paid(by: &str) -> Vec<u32> {
    PAID.lock().unwrap().get(by).cloned().unwrap_or_default()
}

/// Notes something, and gives how much was noted under that name.
fn note(by: &str, amount: u32) -> usize {
    let mut paid = PAID.lock().unwrap();
    let all = paid.entry(by.to_owned()).or_default();
    all.push(amount);
    CHANGED.notify_all();
    all.len()
}

/// Waits until something was noted under a name.
fn wait_for(name: &str) {
    let is_missing = |paid: &mut BTreeMap<String, Vec<u32>>| !paid.contains_key(name);
    let (guard, timeout): (MutexGuard<'_, _>, _) =
        CHANGED.wait_timeout_while(PAID.lock().unwrap(), GUARD, is_missing).unwrap();
    drop(guard);
    assert!(!timeout.timed_out(), "nobody noted {name}");
}

fn stumble_on_server() {
    assert!(!is_on_server(), "stumbled on the server");
}

/// The receipt says how many payments there were, and where.
#[remoteable(once)]
fn pay(by: &str, amount: u32) -> Result<(usize, bool), CallError> {
    Ok((note(by, amount), is_on_server()))
}

#[remoteable]
fn pays_and_stumbles(by: &str) -> Result<(usize, bool), CallError> {
    let receipt = pay(by, 5)?;
    stumble_on_server();
    Ok(receipt)
}

#[test]
fn a_second_run_finds_what_the_first_one_paid() {
    let edge = Edge::start();
    assert_eq!(pays_and_stumbles("first"), Ok((1, true)), "the receipt is the server's");
    assert_eq!(paid("first"), [5]);
    assert_eq!((edge.remote_calls("pays_and_stumbles"), edge.remote_calls("once::pay")), (0, 0));
}

#[remoteable]
fn pays(by: &str) -> Result<(usize, bool), CallError> {
    let (first, _) = pay(by, 5)?;
    let (second, on_server) = pay(by, 6)?;
    Ok((first * 10 + second, on_server))
}

#[test]
fn what_goes_well_pays_on_the_server() {
    let edge = Edge::start();
    assert_eq!(pays("well"), Ok((12, true)));
    assert_eq!((paid("well"), edge.remote_calls("once::pays")), (vec![5, 6], 1));
}

#[device]
fn confirm(by: &str, amount: u32) -> Result<(usize, bool), CallError> {
    pay(by, amount)
}

#[remoteable]
fn pays_here_and_there(by: &str) -> Result<Vec<(usize, bool)>, CallError> {
    let receipts = vec![pay(by, 1)?, confirm(by, 2)?, pay(by, 3)?, confirm(by, 4)?];
    stumble_on_server();
    Ok(receipts)
}

#[test]
fn a_second_run_finds_what_call_backs_paid_on_the_device_and_what_was_paid_in_between() {
    let _edge = Edge::start();
    let receipts = pays_here_and_there("both").unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(paid("both"), [1, 2, 3, 4]);
}

#[remoteable]
async fn pays_in_a_task(by: String) -> Result<usize, CallError> {
    let (paid, _) = tokio::spawn(async move { pay(&by, 5) }).await.unwrap()?;
    stumble_on_server();
    Ok(paid)
}

#[test]
fn what_tasks_would_pay_that_are_not_polled_by_their_method_is_paid_on_the_device() {
    let _edge = Edge::start();
    let caller = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(caller.block_on(pays_in_a_task("task".to_owned())), Ok(1));
    assert_eq!(paid("task"), [5]);
}

#[device]
fn confirm_on_a_thread(by: &str, amount: u32) -> Result<(usize, bool), CallError> {
    let context = outboard::context();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _entered = context.enter();
            pay(by, amount)
        });
        thread.join().unwrap()
    })
}

#[remoteable]
fn pays_on_threads(by: &str) -> Result<Vec<(usize, bool)>, CallError> {
    let receipts = vec![pay(by, 1)?, confirm_on_a_thread(by, 2)?, pay(by, 3)?];
    stumble_on_server();
    Ok(receipts)
}

#[test]
fn a_second_run_finds_what_threads_of_call_backs_paid() {
    let _edge = Edge::start();
    let receipts = pays_on_threads("threads").unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(paid("threads"), [1, 2, 3]);
}

#[remoteable]
fn pays_deeper(by: &str, amount: u32) -> Result<(usize, bool), CallError> {
    let receipt = pay(by, amount)?;
    if by == "deeper stumbles" {
        stumble_on_server();
    }
    Ok(receipt)
}

#[device]
fn confirm_deeper(by: &str, amount: u32) -> Result<(usize, bool), CallError> {
    pays_deeper(by, amount)
}

#[remoteable]
fn pays_at_depth(by: &str) -> Result<Vec<(usize, bool)>, CallError> {
    let receipts = vec![pay(by, 1)?, confirm_deeper(by, 2)?, pay(by, 3)?];
    stumble_on_server();
    Ok(receipts)
}

#[test]
fn a_second_run_finds_what_calls_within_call_backs_paid() {
    for by in ["deeper", "deeper stumbles"] {
        let _edge = Edge::start();
        let all = Ok(vec![(1, true), (2, true), (3, true)]);
        assert_eq!(pays_at_depth(by), all, "{by}");
        assert_eq!(paid(by), [1, 2, 3], "{by}");
    }
}

#[remoteable(remote_only, fallback = spends_alone)]
fn spends(account: &mut Account, by: &str) -> Result<(u64, usize), CallError> {
    let shown = account.spend_here(by)?;
    let receipt = pay(by, 3)?;
    panic!("stumbled on the server, after {shown} and {receipt:?}");
}

fn spends_alone(account: &mut Account, by: &str) -> Result<(u64, usize), CallError> {
    let shown = account.spend_here(by)?;
    Ok((shown, pay(by, 3)?.0))
}

#[test]
fn a_fallback_finds_what_its_method_paid_and_what_the_device_paid_for_it() {
    // Only what the device cannot run goes to the server: the withdrawal stays on the device, on its own object.
    let edge = Edge::with(|builder| builder);
    let mut account = Account { balance: 100, history: vec![], window: Some(7) };
    assert_eq!(spends(&mut account, "fallback"), Ok((7, 2)));
    assert_eq!(account, Account { balance: 70, history: vec![30, 0], window: Some(7) });
    assert_eq!((paid("fallback"), edge.remote_calls("Account::withdraw")), (vec![30, 3], 0));
}

#[remoteable(once)]
fn fetch_once(by: &str, bytes: usize) -> Result<Vec<u8>, CallError> {
    note(by, 1);
    Ok(vec![0; bytes])
}

#[remoteable]
fn fetches_much(by: &str) -> Result<usize, CallError> {
    let fetched = fetch_once(by, 65 << 20)?.len();
    stumble_on_server();
    Ok(fetched)
}

#[test]
fn what_the_server_could_not_keep_may_have_run() {
    let _edge = Edge::start();
    let error = fetches_much("much").unwrap_err();
    assert!(matches!(&error, CallError::MaybeRan { .. }), "{error:?}");
    assert_eq!(paid("much"), [1]);
}

#[remoteable(deadline = "2s")]
fn is_late(by: &str) -> Result<(usize, bool), CallError> {
    let receipt = pay(by, 5)?;
    if is_on_server() {
        wait_for("late: the device is done");
    }
    Ok(receipt)
}

#[test]
fn what_is_late_has_paid_once() {
    let _edge = Edge::start();
    let receipt = is_late("late");
    note("late: the device is done", 0);
    assert_eq!((receipt, paid("late")), (Ok((1, true)), vec![5]));
}

#[remoteable(once)]
fn pay_slowly(by: &str) -> Result<usize, CallError> {
    note("slow: the payment runs", 0);
    wait_for("slow: the device asks");
    Ok(note(by, 5))
}

#[remoteable(deadline = "2s")]
fn pays_slowly(by: &str) -> Result<usize, CallError> {
    if !is_on_server() {
        wait_for("slow: the payment runs");
        note("slow: the device asks", 0);
    }
    pay_slowly(by)
}

#[test]
fn a_payment_that_runs_on_is_waited_for() {
    let _edge = Edge::start();
    assert_eq!((pays_slowly("slow"), paid("slow")), (Ok(1), vec![5]));
}

#[remoteable(deadline = "2s")]
fn comes_too_late_to_pay(by: &str) -> Result<(usize, bool), CallError> {
    if is_on_server() {
        wait_for("too late: the device has paid");
    }
    let receipt = pay(by, 5);
    note(
        if is_on_server() { "too late: the server was refused" } else { "too late: the device has paid" },
        0,
    );
    receipt
}

#[test]
fn a_payment_that_had_not_begun_is_made_here_and_refused_there() {
    let edge = Edge::start();
    assert_eq!(comes_too_late_to_pay("too late"), Ok((1, false)));
    // The refusal unwinds the method there before it notes anything; the server is free when it takes another call.
    assert_eq!(pays("after that").map(|receipt| receipt.1), Ok(true));
    drop(edge);
    assert_eq!(paid("too late"), [5]);
    assert_eq!(paid("too late: the server was refused"), []);
}

#[derive(State, Clone, Debug, PartialEq)]
struct Account {
    balance: u32,
    history: Vec<u32>,
    #[serde(skip)]
    window: Option<u64>,
}

#[device]
impl Account {
    fn spend_here(&mut self, by: &str) -> Result<u64, CallError> {
        self.withdraw(by, 30)
    }

    fn show(&mut self) -> u64 {
        self.history.push(0);
        self.window.expect("the device's own field is there")
    }
}

#[remoteable]
impl Account {
    #[remoteable(once)]
    fn withdraw(&mut self, by: &str, amount: u32) -> Result<u64, CallError> {
        self.balance -= amount;
        self.history.push(amount);
        note(by, amount);
        Ok(self.show())
    }

    fn withdraws_and_stumbles(&mut self, by: &str) -> Result<u64, CallError> {
        self.history.push(100);
        let shown = self.withdraw(by, 30)?;
        self.balance += 1;
        stumble_on_server();
        Ok(shown)
    }
}

#[test]
fn the_state_of_a_payment_that_is_found_is_as_it_left_it() {
    let _edge = Edge::start();
    let mut account = Account { balance: 100, history: vec![], window: Some(7) };
    assert_eq!(account.withdraws_and_stumbles("account"), Ok(7));
    assert_eq!(account, Account { balance: 71, history: vec![100, 30, 0], window: Some(7) });
    assert_eq!(paid("account"), [30]);
}

#[remoteable(once)]
fn pay_and_panic(by: &str, spent: &mut u32) -> Result<(), CallError> {
    *spent += 1;
    note(by, 1);
    panic!("the till is empty");
}

#[remoteable]
fn lives_through_panics(by: &str) -> (String, u32) {
    let mut spent = 0;
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(pay_and_panic(by, &mut spent))));
    let panic = panic.expect_err("it panics wherever it runs");
    stumble_on_server();
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    (text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default(), spent)
}

#[test]
fn a_payment_that_panicked_panics_again_and_does_not_run_again() {
    let _edge = Edge::start();
    assert_eq!(lives_through_panics("panic"), ("the till is empty".to_owned(), 0));
    assert_eq!(paid("panic"), [1]);
}

#[device]
fn reads_a_meter() -> u32 {
    u32::try_from(note("the meter", 0)).unwrap()
}

#[remoteable]
fn pays_what_the_meter_says(by: &str) -> Result<(usize, bool), CallError> {
    let receipt = pay(by, reads_a_meter());
    stumble_on_server();
    receipt
}

#[test]
fn a_second_run_that_would_pay_something_else_may_have_paid() {
    let _edge = Edge::start();
    let error = pays_what_the_meter_says("meter").unwrap_err();
    assert!(matches!(&error, CallError::MaybeRan { method, .. } if method.ends_with("pay")), "{error:?}");
    assert_eq!(paid("meter"), [1]);
}

#[remoteable(deadline = "2s")]
fn pays_before_the_server_stops(by: &str) -> Result<(usize, bool), CallError> {
    if !is_on_server() {
        // The only one who can know is gone before it is asked.
        note("gone: stop the server", 0);
        wait_for("gone: the server has stopped");
    }
    let receipt = pay(by, 5);
    if is_on_server() {
        wait_for("gone: stop the server");
    }
    receipt
}

#[test]
fn with_the_server_gone_a_payment_may_have_been_made() {
    let server = outboard_tests::Stop::server();
    let address = server.address().to_owned();
    let pays = std::thread::spawn(move || {
        let runtime = outboard::Runtime::builder()
            .without_environment()
            .policy(outboard::Policy::Server)
            // Its second run follows the end of the first one.
            .hedge(outboard::Hedge::Never)
            .server(&address)
            .start_isolated()
            .unwrap();
        assert!(runtime.wait_attached(GUARD));
        let _entered = runtime.enter();
        pays_before_the_server_stops("gone")
    });
    wait_for("gone: stop the server");
    drop(server);
    note("gone: the server has stopped", 0);
    let error = pays.join().unwrap().unwrap_err();
    assert!(matches!(&error, CallError::MaybeRan { .. }), "{error:?}");
    assert_eq!(paid("gone"), [5]);
}

#[remoteable]
async fn pays_later(by: &str) -> Result<(usize, bool), CallError> {
    tokio::task::yield_now().await;
    let receipt = pay_async(by).await?;
    tokio::task::yield_now().await;
    stumble_on_server();
    Ok(receipt)
}

#[remoteable(once)]
async fn pay_async(by: &str) -> Result<(usize, bool), CallError> {
    tokio::task::yield_now().await;
    pay(by, 5)
}

#[test]
fn an_async_second_run_finds_it_too() {
    let _edge = Edge::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(pays_later("async")), Ok((1, true)));
    assert_eq!(paid("async"), [5]);
}
