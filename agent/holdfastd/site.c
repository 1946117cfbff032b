#include "site.h"

#include <string.h>

enum err site_init(struct site *s, const char *state_dir, const char *volumed_path)
{
	enum err e;

	memset(s, 0, sizeof(*s));
	s->to_main.fd = s->to_uplink.fd = s->to_downlink.fd = s->stopped.fd = -1;
	s->state_dir = state_dir;
	s->volumed_path = volumed_path;
	contact_init(&s->contact);
	jobs_init(&s->jobs);
	pthread_mutex_init(&s->enrolment_lock, NULL);
	sign_sk_new(&s->session_key);
	e = wake_new(&s->to_main);
	if (!e)
		e = wake_new(&s->to_uplink);
	if (!e)
		e = wake_new(&s->to_downlink);
	if (!e)
		e = wake_new(&s->stopped);
	return e;
}

void site_drop(struct site *s)
{
	queue_drop(&s->queue);
	jobs_drop(&s->jobs);
	sign_sk_wipe(&s->session_key);
	wake_drop(&s->to_main);
	wake_drop(&s->to_uplink);
	wake_drop(&s->to_downlink);
	wake_drop(&s->stopped);
}

int site_enrolment(struct enrolment *ret, struct site *s)
{
	int enrolled;

	pthread_mutex_lock(&s->enrolment_lock);
	enrolled = s->enrolled;
	if (enrolled)
		*ret = s->enrolment;
	pthread_mutex_unlock(&s->enrolment_lock);
	return enrolled;
}

void site_enrolled(struct site *s, const struct enrolment *n)
{
	pthread_mutex_lock(&s->enrolment_lock);
	s->enrolment = *n;
	s->enrolled = 1;
	pthread_mutex_unlock(&s->enrolment_lock);
	contact_server(&s->contact, n->url);
}

void site_unenrolled(struct site *s)
{
	pthread_mutex_lock(&s->enrolment_lock);
	s->enrolled = 0;
	pthread_mutex_unlock(&s->enrolment_lock);
	contact_server(&s->contact, "");
}

void site_hurry(struct site *s)
{
	atomic_store(&s->up_now, 1);
	atomic_store(&s->down_now, 1);
	wake_raise(&s->to_uplink);
	wake_raise(&s->to_downlink);
}

void site_stop(struct site *s)
{
	atomic_store(&s->stop, 1);
	wake_raise(&s->stopped);
	wake_raise(&s->to_uplink);
	wake_raise(&s->to_downlink);
}
