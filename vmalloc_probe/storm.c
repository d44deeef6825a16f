// SPDX-License-Identifier: GPL-2.0
/* A storm: one thread on each CPU allocates and frees, all at once. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>

#include "vp.h"
#include "storm.h"

#define VP_OPERATIONS_MAX	10000000

/**
 * struct vp_result - how the last storm went
 * @case_: what it did; NULL before the first
 * @cpus: threads
 * @operations: of all threads
 * @failures: allocations that gave NULL
 * @corrupt: allocations that did not contain what was written
 * @ns: of all threads
 * @before: areas of this module before
 * @after: and afterwards
 */
struct vp_result {
	const struct vp_storm_case *case_;
	unsigned int cpus;
	u64 operations;
	u64 failures;
	u64 corrupt;
	u64 ns;
	unsigned long before;
	unsigned long after;
};

static DEFINE_MUTEX(storm_lock);	/* one storm at a time */
static bool stop;			/* written under storm_lock */
static atomic_t running;
static DECLARE_COMPLETION(all_done);

static DEFINE_MUTEX(result_lock);	/* protects result */
static struct vp_result result;

static int work(void *arg)
{
	struct vp_worker *worker = arg;

	worker->case_->run(worker);
	if (atomic_dec_and_test(&running))
		complete(&all_done);
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

/* One sleeping thread for each CPU; their number or a negative errno. */
static int make_workers(struct vp_worker *workers, const struct vp_storm_case *case_,
			u64 operations, bool corrupt)
{
	struct task_struct *task;
	unsigned int cpu;
	int nr = 0, err = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		task = kthread_create_on_node(work, &workers[nr], cpu_to_node(cpu),
					      "vmalloc_storm/%u", cpu);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		kthread_bind(task, cpu);
		get_task_struct(task);
		workers[nr++] = (struct vp_worker){
			.task = task, .case_ = case_, .operations = operations,
			.spoil = corrupt, .stop = &stop,
		};
	}
	cpus_read_unlock();
	while (err && nr) {
		kthread_stop(workers[--nr].task);
		put_task_struct(workers[nr].task);
	}
	return err ?: nr;
}

static int run_workers(struct vp_worker *workers, int nr, struct vp_result *sum)
{
	int i, err;

	reinit_completion(&all_done);
	atomic_set(&running, nr);
	for (i = 0; i < nr; i++)
		wake_up_process(workers[i].task);
	err = wait_for_completion_killable(&all_done);
	if (err) {
		WRITE_ONCE(stop, true);
		wait_for_completion(&all_done);
		err = kml_fail(&vp_verdict, -EINTR, "the storm was interrupted");
	}
	for (i = 0; i < nr; i++) {
		kthread_stop(workers[i].task);
		put_task_struct(workers[i].task);
		sum->operations += workers[i].done;
		sum->failures += workers[i].failures;
		sum->corrupt += workers[i].corrupt;
		sum->ns += workers[i].ns;
	}
	return err;
}

/**
 * vp_storm - run a storm to its end
 * @name: the case
 * @operations: for each CPU
 * @corrupt: flip a bit in what is verified, so that there is something to find
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL: no such case; -ERANGE: too many operations; -EBUSY: another
 * storm is running; -ENOMEM; -EINTR; -EIO: memory did not contain what was
 * written.
 */
int vp_storm(const char *name, u64 operations, bool corrupt)
{
	struct vp_result sum = {};
	struct vp_worker *workers;
	unsigned int i;
	int err;

	for (i = 0; i < vp_storm_cases_nr; i++)
		if (!strcmp(vp_storm_cases[i].name, name))
			sum.case_ = &vp_storm_cases[i];
	if (!sum.case_)
		return kml_fail(&vp_verdict, -EINVAL, "no storm case '%s'", name);
	if (operations > VP_OPERATIONS_MAX)
		return kml_fail(&vp_verdict, -ERANGE, "%llu operations; at most %d",
				operations, VP_OPERATIONS_MAX);
	if (!mutex_trylock(&storm_lock))
		return kml_fail(&vp_verdict, -EBUSY, "a storm is running");

	workers = kcalloc(num_possible_cpus(), sizeof(*workers), GFP_KERNEL);
	err = -ENOMEM;
	if (!workers)
		goto unlock;
	stop = false;
	sum.before = vp_own_areas();
	err = make_workers(workers, sum.case_, operations, corrupt);
	if (err < 0)
		goto free_workers;
	sum.cpus = err;
	err = run_workers(workers, sum.cpus, &sum);
	/* vm_map_ram() keeps its blocks until somebody asks for the rest */
	vm_unmap_aliases();
	sum.after = vp_own_areas();

	mutex_lock(&result_lock);
	result = sum;
	mutex_unlock(&result_lock);
	if (!err && sum.corrupt)
		err = kml_fail(&vp_verdict, -EIO,
			       "%llu allocations did not contain what was written",
			       sum.corrupt);
free_workers:
	kfree(workers);
unlock:
	mutex_unlock(&storm_lock);
	return err;
}

/**
 * vp_storm_show - print how the last storm went, in one line
 * @m: where to
 */
void vp_storm_show(struct seq_file *m)
{
	mutex_lock(&result_lock);
	if (result.case_)
		seq_printf(m, "storm case=%s cpus=%u operations=%llu failures=%llu corrupt=%llu ns_per_operation=%llu own_areas_before=%lu own_areas_after=%lu\n",
			   result.case_->name, result.cpus, result.operations,
			   result.failures, result.corrupt,
			   div64_u64(result.ns, max_t(u64, result.operations, 1)),
			   result.before, result.after);
	mutex_unlock(&result_lock);
}
