{{ config(materialized="table") }}
select 1 as id, 10 as x union all select 2, 20
